import { useEffect } from 'react'
import { useTranslation } from 'react-i18next'
import { useNavigate } from 'react-router'
import { useQuery } from 'urql'
import { notify } from '../../components/toast.tsx'
import { codesLeftAreTold, useTellsCodesLeft } from './recovery-sign-in.ts'
import { TwoFactorStatusQuery } from './two-factor-status.ts'

/** Tells who came in by a recovery code how many are left, and where new ones are made. */
export function CodesLeftNotice({ profilePath }: { profilePath: string }) {
  return useTellsCodesLeft() && <Notice profilePath={profilePath} />
}

function Notice({ profilePath }: { profilePath: string }) {
  const { t } = useTranslation('two-factor')
  const navigate = useNavigate()
  const [{ data, error }] = useQuery({ query: TwoFactorStatusQuery, requestPolicy: 'network-only' })
  const left = data?.twoFactorStatus.recoveryCodesLeft
  useEffect(() => {
    if (left === undefined && !error) return
    codesLeftAreTold()
    if (left === undefined) return
    notify({
      tone: 'success',
      title: t('recoveryUsed', { count: left }),
      action: { label: t('settings.newCodes'), onPress: () => void navigate(profilePath) },
    })
  }, [left, error, t, navigate, profilePath])
  return null
}
