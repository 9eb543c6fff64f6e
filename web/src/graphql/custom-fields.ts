import { useCallback, useMemo } from 'react'
import { useQuery } from 'urql'
import { fieldOptions, type FieldDefinition } from '../lib/custom-fields.ts'
import { graphql } from './tada.ts'

const CustomFieldsQuery = graphql(`
  query CustomFields {
    customFields(first: 100, orderBy: [POSITION_ASC]) {
      nodes {
        id
        rowId
        key
        type
        label
        help
        seenByCustomers
        setByCustomers
        requiredWhen
        minimum
        maximum
        maxLength
        visibleWhenField
        visibleWhenValues
        archivedAt
        options
        serviceIds
      }
    }
  }
`)

export interface CustomField extends FieldDefinition {
  id: string
  rowId: string
}

/** The fields the organization added, as far as the reader sees their values, in order and with the archived ones. */
export function useCustomFields({ pause = false }: { pause?: boolean } = {}) {
  const [{ data, error, fetching }, read] = useQuery({ query: CustomFieldsQuery, pause })
  const fields = useMemo<CustomField[]>(
    () =>
      (data?.customFields.nodes ?? []).flatMap((node) =>
        node
          ? [
              {
                ...node,
                visibleWhenValues: node.visibleWhenValues.filter((value) => value !== null),
                serviceIds: node.serviceIds.filter((id) => id !== null),
                options: fieldOptions(node.options),
              },
            ]
          : [],
      ),
    [data],
  )
  const reread = useCallback(() => read({ requestPolicy: 'network-only' }), [read])
  return { fields, error: error ?? null, isLoading: fetching && !data, reread }
}
