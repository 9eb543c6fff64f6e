import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useQuery } from 'urql'
import { Combobox } from '../../components/combobox.tsx'
import { graphql } from '../../graphql/tada.ts'
import { useDebounced } from '../../lib/debounced.ts'

const CompanyChoicesQuery = graphql(`
  query CompanyChoices($filter: CompanyFilter) {
    companies(first: 50, filter: $filter, orderBy: [NAME_ASC]) {
      nodes {
        id
        rowId
        name
      }
    }
  }
`)

export interface Company {
  rowId: string
  name: string
}

export interface CompanyFieldProps {
  value: Company | null
  onChange: (company: Company | null) => void
  /** What choosing does and does not do, where the person is here already. */
  note?: string
}

/** The value of "no company"; row ids are UUIDs, so it cannot be one. */
const NO_COMPANY = 'none'

/** The company a customer works for; however many there are, the server looks for what is typed. */
export function CompanyField({ value, onChange, note }: CompanyFieldProps) {
  const { t } = useTranslation('people')
  const [search, setSearch] = useState('')
  const words = useDebounced(search.trim())
  const [{ data }] = useQuery({
    query: CompanyChoicesQuery,
    variables: words === '' ? {} : { filter: { name: { includesInsensitive: words } } },
  })
  const found = (data?.companies.nodes ?? []).filter((node) => node !== null)
  const known = value && !found.some((company) => company.rowId === value.rowId) ? [value, ...found] : found
  return (
    <Combobox
      label={t('company')}
      value={value?.rowId ?? NO_COMPANY}
      choices={[
        { value: NO_COMPANY, label: t('noCompany') },
        ...known.map((company) => ({ value: company.rowId, label: company.name })),
      ]}
      onSearch={setSearch}
      onChange={(rowId) => {
        const company = known.find((candidate) => candidate.rowId === rowId)
        onChange(company ? { rowId: company.rowId, name: company.name } : null)
      }}
      description={note === undefined ? t('companyHint') : `${t('companyHint')} ${note}`}
    />
  )
}
