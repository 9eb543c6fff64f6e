import { CheckCheck } from 'lucide-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useMutation } from 'urql'
import { Button } from '../../components/button.tsx'
import { notify } from '../../components/toast.tsx'
import { problemOf } from '../../graphql/errors.ts'
import { graphql } from '../../graphql/tada.ts'

const MarkAllNotificationsRead = graphql(`
  mutation MarkAllNotificationsRead {
    markAllNotificationsRead(input: {}) {
      marked
    }
  }
`)

/** Marks everything as read; the lists follow by themselves, because all windows are told. */
export function ReadAllButton() {
  const { t } = useTranslation(['notifications', 'errors'])
  const [isSending, setIsSending] = useState(false)
  const [, markAllRead] = useMutation(MarkAllNotificationsRead)
  async function read() {
    setIsSending(true)
    const { error } = await markAllRead({})
    setIsSending(false)
    if (error) notify({ tone: 'danger', title: t(`errors:${problemOf(error).code}`) })
  }
  return (
    <Button variant="quiet" size="small" isPending={isSending} onPress={() => void read()}>
      <CheckCheck className="size-4" aria-hidden="true" />
      {t('readAll')}
    </Button>
  )
}
