"use strict";

// The work that both of Node's peers share: read, validate, say what follows. It is the same as
// in `same_work.py`; the schema is the one of Stappenplan's own model, given by the bench.

const { createHash } = require("node:crypto");
const Ajv = require("ajv/dist/2020");
const { v5: uuid5 } = require("uuid");

// An unknown field is dropped and one left out gets its default, as pydantic has it.
const ajv = new Ajv({ removeAdditional: "all", useDefaults: true });
const valid = ajv.compile(JSON.parse(process.env.BENCH_SCHEMA));

/** Read and validate an accepted sign-up; throws when it is not one. */
function read(body) {
  const { id, subject, data } = JSON.parse(body.toString());
  if (!valid(data)) throw new Error(ajv.errorsText(valid.errors));
  const event = withoutNulls(data);
  const digest = createHash("sha256").update(body).digest("hex");
  return { id, subject, digest, event, kept: JSON.stringify(event) };
}

/** What a registration's row holds, in the order in which both statements name it. */
function registerValues(message, now, number) {
  const { office, customer } = message.event;
  const numbers = [`K-${number}`, `A-${number}`];
  return [message.subject, office.code, message.kept, now, ...numbers, customer.company];
}

/** The two events that follow, in their envelopes. */
function says(message, now, number) {
  const { office, customer, package: chosen, payer } = message.event;
  const completed = { customer_number: `K-${number}`, office, customer, package: chosen, payer };
  const created = {
    administration_number: `A-${number}`,
    name: customer.company,
    copied_from: "standard",
    access_granted: true,
  };
  return [
    sealed("registration.completed.v1", completed, message, now),
    sealed("administration.created.v1", created, message, now),
  ];
}

function sealed(type, data, cause, now) {
  const id = uuid5(`${cause.id}/${type}`, uuid5.URL);
  const document = {
    specversion: "1.0",
    id,
    source: "/services/registration",
    type,
    subject: cause.subject,
    time: now,
    datacontenttype: "application/json",
    causationid: cause.id,
    data,
  };
  return { id, type, body: Buffer.from(JSON.stringify(document)) };
}

function withoutNulls(value) {
  if (value === null || typeof value !== "object") return value;
  if (Array.isArray(value)) return value.map(withoutNulls);
  const told = Object.entries(value).filter(([, part]) => part !== null);
  return Object.fromEntries(told.map(([name, part]) => [name, withoutNulls(part)]));
}

module.exports = { read, registerValues, says };
