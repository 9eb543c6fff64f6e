import { useTranslation } from 'react-i18next'
import { useQuery } from 'urql'
import { CheckboxGroup } from '../../components/checkbox-group.tsx'
import { Checkbox } from '../../components/checkbox.tsx'
import { Switch } from '../../components/switch.tsx'
import { graphql } from '../../graphql/tada.ts'

const FieldServicesQuery = graphql(`
  query FieldServices {
    services(first: 100, orderBy: [NAME_ASC]) {
      nodes {
        id
        rowId
        name
        archivedAt
      }
    }
  }
`)

export interface ServiceInputsProps {
  /** Null while every service asks. */
  serviceIds: readonly string[] | null
  onChange: (serviceIds: string[] | null) => void
  error: string | null
}

/** Which services ask for a field. */
export function ServiceInputs({ serviceIds, onChange, error }: ServiceInputsProps) {
  const { t } = useTranslation('custom-fields')
  const [{ data }] = useQuery({ query: FieldServicesQuery })
  const services = (data?.services.nodes ?? [])
    .filter((node) => node !== null)
    .filter(({ rowId, archivedAt }) => archivedAt === null || serviceIds?.includes(rowId))
  return (
    <div className="flex flex-col gap-4">
      <Switch isSelected={serviceIds === null} onChange={(isEvery) => onChange(isEvery ? null : [])}>
        {t('form.everyService')}
      </Switch>
      {serviceIds !== null && (
        <CheckboxGroup label={t('form.services')} value={serviceIds} onChange={onChange} error={error}>
          {services.map(({ rowId, name }) => (
            <Checkbox key={rowId} value={rowId}>
              {name}
            </Checkbox>
          ))}
        </CheckboxGroup>
      )}
    </div>
  )
}
