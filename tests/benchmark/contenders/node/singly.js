"use strict";

// Node as most would write it: each message by itself, as many at a time as the pool has
// connections, and acknowledged when the broker has confirmed what follows.

const { Pool } = require("pg");
const { open, QUEUE } = require("./line");
const { read, registerValues, says } = require("./same_work");

const CONCURRENCY = Number(process.env.BENCH_CONCURRENCY);

// A statement with a name is parsed once for each connection.
const CLAIM = {
  name: "claim",
  text: `INSERT INTO inbox (id, type, subject, digest, status, received_at, attempts)
    VALUES ($1, 'signup.accepted.v1', $2, $3, 'done', $4, 0)
    ON CONFLICT DO NOTHING RETURNING id`,
};
const NUMBER = { name: "number", text: "SELECT nextval('bench_numbers') AS number" };
const REGISTER = {
  name: "register",
  text: `INSERT INTO registration (onboarding_id, office_code, accepted, heard_at,
      customer_number, administration_number, administration_name, status, decided_by,
      copied_from)
    VALUES ($1, $2, $3, $4, $5, $6, $7, 'registered', 'policy', 'standard')`,
};

const pool = new Pool({ connectionString: process.env.BENCH_DATABASE_URL, max: CONCURRENCY });

/** One message in one transaction; says nothing when it was seen before. */
async function handle(body) {
  const message = read(body);
  const now = new Date().toISOString();
  const client = await pool.connect();
  try {
    await client.query("BEGIN");
    const said = await register(client, message, now);
    await client.query("COMMIT");
    return said;
  } catch (error) {
    await client.query("ROLLBACK");
    throw error;
  } finally {
    client.release();
  }
}

async function register(client, message, now) {
  const claim = [message.id, message.subject, message.digest, now];
  const claimed = await client.query({ ...CLAIM, values: claim });
  if (claimed.rowCount === 0) return [];
  const { number } = (await client.query(NUMBER)).rows[0];
  await client.query({ ...REGISTER, values: registerValues(message, now, number) });
  return says(message, now, number);
}

async function main() {
  const { channel, publish } = await open(CONCURRENCY);
  await channel.consume(QUEUE, async (message) => {
    try {
      const said = await handle(message.content);
      await Promise.all(said.map(publish));
      channel.ack(message);
    } catch (error) {
      console.error(error);
      channel.nack(message);
    }
  });
}

main();
