import { globSync, readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { expect, test } from 'vitest'

const tasks = globSync('worker/tasks/*.ts')
  .map((file) => basename(file, '.ts'))
  .sort()

// A job whose task no worker knows waits forever, and nobody is told.
test('the worker runs every task there is', () => {
  const listed = [...readFileSync('worker/main.ts', 'utf8').matchAll(/^ {4}(\w+): \w+.*,$/gm)].map(
    ([, task]) => task,
  )
  expect(listed.filter((name) => tasks.includes(name!)).sort()).toEqual(tasks)
})

test('what the database and the clock ask for is a task', () => {
  const asked = new Set<string>()
  for (const file of globSync('db/functions/*.sql')) {
    for (const [, task] of readFileSync(file, 'utf8').matchAll(/enqueue\(\s*'(\w+)'/g)) asked.add(task!)
  }
  for (const [, task] of readFileSync('worker/crontab', 'utf8').matchAll(/^(?:[*/\d]+ ){5}(\w+)/gm))
    asked.add(task!)
  expect(asked.size).toBeGreaterThan(10)
  expect([...asked].filter((task) => !tasks.includes(task))).toEqual([])
})
