import { Ellipsis, Split } from 'lucide-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Button } from '../../components/button.tsx'
import { Menu, MenuItem, MenuTrigger } from '../../components/menu.tsx'
import { SplitDialog, type SplitDialogProps } from './split-dialog.tsx'

/** What the team does with something that was said. */
export function CommentMenu({ comment }: Pick<SplitDialogProps, 'comment'>) {
  const { t } = useTranslation('comments')
  const [isSplitting, setIsSplitting] = useState(false)
  return (
    <>
      <MenuTrigger>
        <Button
          variant="quiet"
          size="small"
          isIconOnly
          aria-label={t('menu.label', { name: comment.authorName })}
          className="-my-1 -me-2"
        >
          <Ellipsis className="size-4" aria-hidden="true" />
        </Button>
        <Menu>
          <MenuItem
            mark={<Split className="size-4 text-muted" aria-hidden="true" />}
            onAction={() => setIsSplitting(true)}
          >
            {t('menu.split')}
          </MenuItem>
        </Menu>
      </MenuTrigger>
      <SplitDialog comment={comment} isOpen={isSplitting} onClose={() => setIsSplitting(false)} />
    </>
  )
}
