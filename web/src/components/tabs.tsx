import type { ReactNode } from 'react'
import { Tab, TabList, TabPanel, Tabs as AriaTabs } from 'react-aria-components/Tabs'

export interface TabsProps<Id extends string> {
  label: string
  tabs: readonly { id: Id; title: ReactNode; content: ReactNode }[]
  selected?: Id
  onSelect?: (id: Id) => void
}

/** Several panels in one place; arrow keys move between their names. */
export function Tabs<Id extends string>({ label, tabs, selected, onSelect }: TabsProps<Id>) {
  return (
    <AriaTabs
      {...(selected === undefined ? {} : { selectedKey: selected })}
      onSelectionChange={(key) => onSelect?.(String(key) as Id)}
      className="flex flex-col gap-3"
    >
      <TabList aria-label={label} className="flex gap-1 border-b border-border">
        {tabs.map((tab) => (
          <Tab
            key={tab.id}
            id={tab.id}
            className="-mb-px cursor-pointer rounded-t-md border-b-2 border-transparent px-3 py-2 text-sm font-medium text-muted data-[hovered]:text-text data-[selected]:border-accent data-[selected]:text-accent-text"
          >
            {tab.title}
          </Tab>
        ))}
      </TabList>
      {tabs.map((tab) => (
        <TabPanel key={tab.id} id={tab.id}>
          {tab.content}
        </TabPanel>
      ))}
    </AriaTabs>
  )
}
