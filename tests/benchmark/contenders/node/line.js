"use strict";

// The line to the broker: a channel that confirms, and publishing that waits for its answer.

const amqp = require("amqplib");

const EXCHANGE = "stappenplan.events";
const QUEUE = "registration";

/** A channel that holds so many messages unacknowledged, and how to publish on it. */
async function open(prefetch) {
  // Without this the kernel would hold small frames back until the broker has answered others.
  const options = { noDelay: true };
  const connection = await amqp.connect(process.env.BENCH_BROKER_URL, options);
  const channel = await connection.createConfirmChannel();
  await channel.prefetch(prefetch);
  const returned = new Set();
  channel.on("return", (message) => returned.add(message.properties.messageId));

  /** Publish an event; fails when the broker does not take it, or nobody would hear it. */
  function publish(event) {
    const properties = {
      contentType: "application/cloudevents+json",
      messageId: event.id,
      type: event.type,
      persistent: true,
      mandatory: true,
    };
    return new Promise((resolve, reject) => {
      // The broker returns what it cannot route before it confirms it.
      channel.publish(EXCHANGE, event.type, event.body, properties, (error) => {
        if (error) reject(error);
        else if (returned.delete(event.id)) reject(new Error(`nobody hears ${event.type}`));
        else resolve();
      });
    });
  }

  return { channel, publish };
}

module.exports = { open, QUEUE };
