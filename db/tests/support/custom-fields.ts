import type { Stage } from './stage.ts'

/** What is said of a field when it is made, as the arguments of `create_custom_field` are called. */
export interface FieldDefinition {
  key: string
  type: string
  [argument: string]: unknown
}

export interface Field {
  id: string
  key: string
  [column: string]: unknown
}

const json = (name: string, value: unknown) => (name === 'options' ? JSON.stringify(value) : value)

/** A call of a function by the names of its arguments, and their values. */
export function called(name: string, values: Record<string, unknown>): [sql: string, values: unknown[]] {
  const names = Object.keys(values)
  const list = names.map((argument, index) => `${argument} => $${index + 1}`).join(', ')
  return [
    `select to_jsonb(made) from app_public.${name}(${list}) as made`,
    names.map((argument) => json(argument, values[argument])),
  ]
}

export const optionsNamed = (...keys: string[]) => keys.map((key) => ({ key, label: key.toUpperCase() }))

/** Makes fields and tickets in an organization of the stage. */
export function fieldsOn(stage: Stage) {
  const make = (values: FieldDefinition, admin = stage.acme.admin) =>
    stage.does<Field>(admin, ...called('create_custom_field', { label: values.key, ...values }))

  return {
    make,
    makeAll: async (...definitions: FieldDefinition[]) => {
      for (const definition of definitions) await make(definition)
    },
    change: (id: string, values: Record<string, unknown> = {}) =>
      stage.does<Field>(
        stage.acme.admin,
        ...called('change_custom_field', { field_id: id, label: 'Changed', ...values }),
      ),
    archive: (id: string, archived = true) =>
      stage.does<Field>(stage.acme.admin, ...called('archive_custom_field', { field_id: id, archived })),
    /** Away with all fields and values, so that each test has its own. */
    clear: async () => {
      await stage.superuser.query('begin')
      await stage.superuser.query(`set local session_replication_role = 'replica'`)
      for (const table of ['custom_field_options', 'custom_field_services', 'custom_fields']) {
        await stage.superuser.query(`delete from app_public.${table}`)
      }
      await stage.superuser.query(
        `update app_public.tickets set custom_fields = '{}', internal_fields = '{}'`,
      )
      await stage.superuser.query('commit')
    },
  }
}
