import { Plus, Trash2 } from 'lucide-react'
import { useRef } from 'react'
import { useTranslation } from 'react-i18next'
import { Button } from '../../components/button.tsx'
import { Select } from '../../components/select.tsx'
import { SettingsSection } from '../../components/settings-section.tsx'
import { Switch } from '../../components/switch.tsx'
import { TextField } from '../../components/text-field.tsx'
import type { ProviderPartProps } from './provider-form.tsx'
import { groupFault, newGroup, ROLES, type MappedGroup } from './role-mapping.ts'

/** The value of "nobody gets a role by default". */
const REFUSE = 'refuse'

/** Who gets in through a provider, and with which role. */
export function ProviderRoles({ draft, edit, errorOf, wasTried }: ProviderPartProps & { wasTried: boolean }) {
  const { t } = useTranslation(['single-sign-on', 'app'])
  const byGroups = draft.rolesFrom === 'groups'
  return (
    <SettingsSection title={t('roles.title')} intro={t('roles.intro')}>
      <div className="flex flex-col gap-6 p-5">
        <Switch
          isSelected={draft.makesPeople}
          onChange={(makesPeople) => edit({ makesPeople })}
          description={t('roles.makesPeopleHint')}
        >
          {t('roles.makesPeople')}
        </Switch>
        <Select
          label={t('roles.from')}
          value={draft.rolesFrom}
          choices={[
            { value: 'here', label: t('roles.here') },
            { value: 'groups', label: t('roles.groups') },
          ]}
          onChange={(rolesFrom) =>
            edit({
              rolesFrom,
              ...(rolesFrom === 'groups' && draft.groups.length === 0 ? { groups: [newGroup()] } : {}),
            })
          }
          description={t(byGroups ? 'roles.groupsHint' : 'roles.hereHint')}
        />
        {byGroups && (
          <>
            <TextField
              label={t(`roleClaim.${draft.kind}`)}
              description={t(`roleClaimHint.${draft.kind}`)}
              placeholder={draft.kind === 'oidc' ? 'groups' : 'memberOf'}
              autoComplete="off"
              spellCheck="false"
              value={draft.roleClaim}
              onChange={(roleClaim) => edit({ roleClaim })}
              error={errorOf('roleClaim')}
            />
            <GroupRows
              groups={draft.groups}
              onChange={(groups) => edit({ groups })}
              wasTried={wasTried}
              example={draft.kind === 'oidc' ? 'helpdesk' : 'cn=helpdesk,ou=groups,dc=example,dc=com'}
            />
          </>
        )}
        <Select
          label={t(byGroups ? 'roles.otherwise' : 'roles.first')}
          value={draft.defaultRole ?? REFUSE}
          choices={[
            ...ROLES.map((role) => ({ value: role, label: t(`app:account.roles.${role}`) })),
            { value: REFUSE, label: t('roles.refuse') },
          ]}
          onChange={(value) => edit({ defaultRole: value === REFUSE ? null : value })}
          description={t(
            draft.defaultRole === null
              ? byGroups
                ? 'roles.refuseByGroups'
                : 'roles.refuseHere'
              : byGroups
                ? 'roles.otherwiseHint'
                : 'roles.firstHint',
          )}
        />
      </div>
    </SettingsSection>
  )
}

interface GroupRowsProps {
  groups: MappedGroup[]
  onChange: (groups: MappedGroup[]) => void
  wasTried: boolean
  example: string
}

function GroupRows({ groups, onChange, wasTried, example }: GroupRowsProps) {
  const { t } = useTranslation(['single-sign-on', 'app'])
  const list = useRef<HTMLUListElement>(null)
  const change = (row: MappedGroup, part: Partial<MappedGroup>) =>
    onChange(groups.map((other) => (other.key === row.key ? { ...other, ...part } : other)))

  function add() {
    onChange([...groups, newGroup()])
    requestAnimationFrame(() => list.current?.querySelector<HTMLElement>('li:last-child input')?.focus())
  }

  return (
    <fieldset className="flex flex-col gap-3">
      <legend className="mb-3 text-sm font-medium">{t('mapping.title')}</legend>
      <ul ref={list} className="flex flex-col gap-4 sm:gap-3">
        {groups.map((row, index) => {
          const fault = groupFault(groups, row)
          const number = index + 1
          return (
            <li
              key={row.key}
              className="grid grid-cols-[minmax(0,1fr)_auto] items-start gap-2 sm:grid-cols-[minmax(0,1fr)_11rem_auto]"
            >
              <div className="col-span-2 sm:col-span-1">
                <TextField
                  label={t('mapping.group', { number })}
                  placeholder={example}
                  autoComplete="off"
                  spellCheck="false"
                  value={row.group}
                  onChange={(group) => change(row, { group })}
                  error={wasTried && fault ? t(`mapping.fault.${fault}`) : null}
                />
              </div>
              <Select
                label={t('mapping.role', { number })}
                value={row.role}
                choices={ROLES.map((role) => ({ value: role, label: t(`app:account.roles.${role}`) }))}
                onChange={(role) => change(row, { role })}
              />
              <Button
                variant="quiet"
                isIconOnly
                className="mt-6.5 size-11"
                aria-label={t('mapping.remove', { number })}
                onPress={() => onChange(groups.filter((other) => other.key !== row.key))}
              >
                <Trash2 className="size-4" aria-hidden="true" />
              </Button>
            </li>
          )
        })}
      </ul>
      <Button size="small" className="self-start" onPress={add}>
        <Plus className="size-4" aria-hidden="true" />
        {t('mapping.add')}
      </Button>
    </fieldset>
  )
}
