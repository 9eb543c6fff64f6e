import { useParams } from 'react-router'
import { PeoplePage } from '../../../features/people/people-page.tsx'
import { PersonPage } from '../../../features/people/person-page.tsx'
import { RolesPage } from '../../../features/people/roles-page.tsx'
import { NotFoundPage } from '../not-found-page.tsx'
import { rowId } from '../row-id.ts'

export function PeopleRoute() {
  return <PeoplePage />
}

export function PersonRoute() {
  const userId = rowId(useParams()['userId'])
  // Another person is another page: nothing half typed about the one before may stay.
  return userId === null ? <NotFoundPage /> : <PersonPage key={userId} userId={userId} />
}

export function RolesRoute() {
  return <RolesPage />
}
