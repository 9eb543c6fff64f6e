import type { Task } from 'graphile-worker'
import type { Scanner } from '../files/clamd.ts'
import { everyOrganizationTask } from '../organization-task.ts'

/** Every ten minutes: has served files scanned again after the scanner has learned, some at a time. */
export default function rescanFiles(scanner: Scanner | undefined): Task {
  if (!scanner) return () => Promise.resolve()
  return everyOrganizationTask((client) => client.query('select app_private.rescan_files()'))
}
