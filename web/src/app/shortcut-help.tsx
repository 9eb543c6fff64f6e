import { useTranslation } from 'react-i18next'
import { Dialog } from '../components/dialog.tsx'
import { KeyboardKey } from '../components/keyboard-key.tsx'
import { Switch } from '../components/switch.tsx'
import { useActiveShortcuts, useShortcutsEnabled } from '../lib/shortcuts.ts'

/** The keys that work on this screen, and the way to turn them off. */
export function ShortcutHelp({ isOpen, onClose }: { isOpen: boolean; onClose: () => void }) {
  const { t } = useTranslation()
  const shortcuts = useActiveShortcuts()
  const [isEnabled, setIsEnabled] = useShortcutsEnabled()
  return (
    <Dialog title={t('shortcuts.title')} isOpen={isOpen} onClose={onClose}>
      <dl className="grid grid-cols-[auto_1fr] items-center gap-x-4 gap-y-2.5 text-sm">
        {shortcuts.map((shortcut) => (
          <div key={`${shortcut.key} ${shortcut.label}`} className="contents">
            <dt>
              <KeyboardKey>{shortcut.key}</KeyboardKey>
            </dt>
            <dd>{shortcut.label}</dd>
          </div>
        ))}
      </dl>
      <div className="border-t border-border pt-4">
        <Switch isSelected={isEnabled} onChange={setIsEnabled}>
          {t('shortcuts.use')}
        </Switch>
      </div>
    </Dialog>
  )
}
