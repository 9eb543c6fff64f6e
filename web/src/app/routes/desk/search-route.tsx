import { SearchPage } from '../../../features/ticket-search/search-page.tsx'

export function Component() {
  return <SearchPage place="desk" />
}
