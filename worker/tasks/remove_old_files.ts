import type { Task } from 'graphile-worker'
import type { FilePlaces } from '../files/file-places.ts'
import { everyOrganizationTask } from '../organization-task.ts'

const dayMilliseconds = 86_400_000

/** Each night: forgets uploads that came to nothing, and removes files whose time is over. */
export default function removeOldFiles(places: FilePlaces): Task {
  const removeOfEach = everyOrganizationTask((client) =>
    client.query('select app_private.remove_old_files()'),
  )
  return async (payload, helpers) => {
    await places.removeUnfinished(new Date(Date.now() - dayMilliseconds))
    await removeOfEach(payload, helpers)
  }
}
