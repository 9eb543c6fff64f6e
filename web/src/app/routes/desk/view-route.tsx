import { useParams } from 'react-router'
import { ViewPage } from '../../../features/ticket-views/view-page.tsx'
import { NotFoundPage } from '../not-found-page.tsx'
import { rowId } from '../row-id.ts'

export function Component() {
  const viewId = rowId(useParams()['viewId'])
  return viewId === null ? <NotFoundPage /> : <ViewPage key={viewId} viewId={viewId} />
}
