import { once } from 'node:events'
import type { Client, Notification } from 'pg'

/** What was heard while something was done, by channel, in the order of the commits. */
export async function heardWhile(
  listener: Client,
  channels: string[],
  work: () => Promise<unknown>,
): Promise<Record<string, { event: string; [key: string]: unknown }[]>> {
  // Notifications arrive in the order of the commits, so that this last one says that all others are here.
  const end = 'the_end_of_the_test'
  const heard: Notification[] = []
  const arrived = (notification: Notification) => {
    heard.push(notification)
    if (notification.channel === end) listener.emit('the end')
  }
  listener.on('notification', arrived)
  try {
    for (const channel of [...channels, end]) await listener.query(`listen "${channel}"`)
    await work()
    const ended = once(listener, 'the end')
    await listener.query(`notify ${end}`)
    await ended
    await listener.query('unlisten *')
  } finally {
    listener.off('notification', arrived)
  }
  return Object.fromEntries(
    channels.map((name) => [
      name,
      heard
        .filter(({ channel }) => channel === name)
        .map(({ payload }) => JSON.parse(payload!) as { event: string }),
    ]),
  )
}
