import { useQuery } from 'urql'
import type { FieldDefinition } from '../lib/custom-fields.ts'
import { useCustomFields } from './custom-fields.ts'
import { graphql } from './tada.ts'

const RuleChoicesQuery = graphql(`
  query RuleChoices {
    users(first: 100, filter: { role: { in: [agent, manager, admin] } }, orderBy: [NAME_ASC]) {
      nodes {
        id
        rowId
        name
      }
    }
    teams(first: 100, orderBy: [NAME_ASC]) {
      nodes {
        id
        rowId
        name
      }
    }
    services(first: 100, orderBy: [NAME_ASC]) {
      nodes {
        id
        rowId
        name
      }
    }
  }
`)

export interface RuleChoice {
  value: string
  label: string
}

/** What conditions and actions can name. */
export interface RuleChoices {
  agent: readonly RuleChoice[]
  team: readonly RuleChoice[]
  service: readonly RuleChoice[]
  /** The custom fields that are asked for today. */
  fields: readonly FieldDefinition[]
}

const choices = (nodes: readonly ({ rowId: string; name: string } | null)[] | undefined): RuleChoice[] =>
  (nodes ?? []).flatMap((node) => (node ? [{ value: node.rowId, label: node.name }] : []))

/** The agents, teams, services and fields that conditions and actions can name. */
export function useRuleChoices(): RuleChoices {
  const [{ data }] = useQuery({ query: RuleChoicesQuery })
  const { fields } = useCustomFields()
  return {
    agent: choices(data?.users.nodes),
    team: choices(data?.teams.nodes),
    service: choices(data?.services.nodes),
    fields: fields.filter(({ archivedAt }) => archivedAt === null),
  }
}
