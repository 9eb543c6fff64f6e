export interface OrganizationChoice {
  slug: string
  name: string
}

/** The organizations a login may go to, from the details of an ORGANIZATION_REQUIRED refusal. */
export function organizationsOf(details: unknown): OrganizationChoice[] {
  if (typeof details !== 'object' || details === null || !('organizations' in details)) return []
  if (!Array.isArray(details.organizations)) return []
  return details.organizations.flatMap((entry: unknown) =>
    typeof entry === 'object' &&
    entry !== null &&
    'slug' in entry &&
    'name' in entry &&
    typeof entry.slug === 'string' &&
    typeof entry.name === 'string'
      ? [{ slug: entry.slug, name: entry.name }]
      : [],
  )
}
