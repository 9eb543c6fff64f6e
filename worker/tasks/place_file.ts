import type { Task } from 'graphile-worker'
import type { FilePlaces } from '../files/file-places.ts'
import { placeFile as place } from '../files/place-file.ts'
import { steppedOrganizationTask } from '../organization-task.ts'

/** After an admin decided about a file: moves or deletes its content. */
export default function placeFile(places: FilePlaces): Task {
  return steppedOrganizationTask<GraphileWorker.Tasks['place_file']>((step, file, helpers) =>
    place(step, places, file, helpers.logger),
  )
}
