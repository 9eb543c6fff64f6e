import { useTranslation } from 'react-i18next'
import { useSearchParams } from 'react-router'
import { PageHeader } from '../../components/page-header.tsx'
import { Tabs } from '../../components/tabs.tsx'
import { CannedResponseList } from './canned-response-list.tsx'
import { MacroList } from './macro-list.tsx'

/** What is prepared once and used often. */
export function PreparedPage() {
  const { t } = useTranslation('canned-responses')
  const [parameters, setParameters] = useSearchParams()
  const shown = parameters.get('show') === 'macros' ? 'macros' : 'responses'
  return (
    <>
      <PageHeader title={t('title')} intro={t('intro')} />
      <Tabs
        label={t('title')}
        selected={shown}
        onSelect={(id) => setParameters(id === 'macros' ? { show: 'macros' } : {}, { replace: true })}
        tabs={[
          { id: 'responses', title: t('responses'), content: <CannedResponseList /> },
          { id: 'macros', title: t('macros'), content: <MacroList /> },
        ]}
      />
    </>
  )
}
