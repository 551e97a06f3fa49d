"use strict";

// Node for throughput: one transaction for each batch, and one acknowledgement. While the broker
// confirms what one batch says, the next is in its transaction.
//
// It has no one-by-one after a failure: whatever goes wrong ends the process, and the broker
// gives what was not acknowledged to the next.

const { Client } = require("pg");
const { open, QUEUE } = require("./line");
const { read, registerValues, says } = require("./same_work");

const BATCH = Number(process.env.BENCH_CONCURRENCY);
const LINGER_MS = 3;

const CLAIM = {
  name: "claim",
  text: `INSERT INTO inbox (id, type, subject, digest, status, received_at, attempts)
    SELECT id, 'signup.accepted.v1', subject, digest, 'done', $1, 0
    FROM unnest($2::text[], $3::text[], $4::text[]) AS new (id, subject, digest)
    ON CONFLICT DO NOTHING RETURNING id`,
};
const NUMBERS = {
  name: "numbers",
  text: "SELECT nextval('bench_numbers') AS number FROM generate_series(1, $1)",
};
const REGISTER = {
  name: "register",
  text: `INSERT INTO registration (onboarding_id, office_code, accepted, heard_at,
      customer_number, administration_number, administration_name, status, decided_by,
      copied_from)
    SELECT *, 'registered', 'policy', 'standard' FROM unnest($1::text[], $2::text[], $3::json[],
      $4::timestamptz[], $5::text[], $6::text[], $7::text[])`,
};

const database = new Client({ connectionString: process.env.BENCH_DATABASE_URL });

/** All messages of a batch in one transaction; what follows from those that are new. */
async function handle(messages) {
  const now = new Date().toISOString();
  await database.query("BEGIN");
  const fresh = await claim(messages, now);
  const { rows } = await database.query({ ...NUMBERS, values: [fresh.length] });
  const numbered = fresh.map((message, nth) => [message, now, rows[nth].number]);
  const values = columns(numbered.map((one) => registerValues(...one)));
  if (fresh.length > 0) await database.query({ ...REGISTER, values });
  await database.query("COMMIT");
  return numbered.flatMap((one) => says(...one));
}

async function claim(messages, now) {
  const byId = new Map(messages.map((message) => [message.id, message]));
  const keys = columns([...byId.values()].map((one) => [one.id, one.subject, one.digest]));
  const { rows } = await database.query({ ...CLAIM, values: [now, ...keys] });
  return rows.map((row) => byId.get(row.id));
}

function columns(rows) {
  return (rows[0] ?? []).map((_, nth) => rows.map((row) => row[nth]));
}

async function main() {
  await database.connect();
  // One batch is gathered, one in its transaction, and one waits for the broker's answers.
  const { channel, publish } = await open(3 * BATCH);
  let batch = [];
  let timer;
  let committed = Promise.resolve();
  let settled = Promise.resolve();

  async function work(deliveries) {
    const said = await handle(deliveries.map((delivery) => read(delivery.content)));
    const confirmed = Promise.all(said.map(publish));
    // The answer to one batch may come before that to an earlier one, and an acknowledgement
    // stands for all before it: so each waits for those.
    settled = Promise.all([settled, confirmed]).then(() => channel.ack(deliveries.at(-1), true));
  }

  function cut() {
    clearTimeout(timer);
    timer = undefined;
    const deliveries = batch;
    batch = [];
    committed = committed.then(() => work(deliveries));
  }

  await channel.consume(QUEUE, (delivery) => {
    batch.push(delivery);
    if (batch.length >= BATCH) cut();
    else timer ??= setTimeout(cut, LINGER_MS);
  });
}

main();
