import { useTranslation } from 'react-i18next'
import { useSearchParams } from 'react-router'
import { ButtonLink } from '../../components/button-link.tsx'
import { InlineAlert } from '../../components/inline-alert.tsx'
import { DoorPage } from '../../features/identity/door-page.tsx'
import { told } from '../../graphql/errors.ts'

/** Where a link to a file in a mail leads when there is no file behind it: too old, held back, or no longer for you. */
export function Component() {
  const { t } = useTranslation(['attachments', 'errors'])
  const [parameters] = useSearchParams()
  const code = parameters.get('problem') ?? 'FILE_LINK_INVALID'
  return (
    <DoorPage title={t('link.title')} step="useless">
      <InlineAlert>{t(`errors:${told(code)}`)}</InlineAlert>
      <ButtonLink to="/" variant="primary" className="self-start">
        {t('link.home')}
      </ButtonLink>
    </DoorPage>
  )
}
