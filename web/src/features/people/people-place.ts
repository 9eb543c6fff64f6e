let place = ''

/** Remembers which people the list showed, for the way back from one of them. */
export function rememberPeoplePlace(search: string): void {
  place = search
}

/** The address of the list as it was left. */
export function peoplePlace(): string {
  return place ? `/desk/admin/people?${place}` : '/desk/admin/people'
}
