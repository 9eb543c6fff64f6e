import { expect, it } from 'vitest'
import { nameClipped } from './clipped-title.ts'

const element = (scrollWidth: number, title = '') => ({
  scrollWidth,
  clientWidth: 100,
  title,
  textContent: ' A long name ',
  dataset: {} as DOMStringMap,
})

it('names what is cut off, as long as it is', () => {
  const name = element(140)
  nameClipped(name)
  expect(name.title).toBe('A long name')
  name.scrollWidth = 100
  nameClipped(name)
  expect(name.title).toBe('')
})

it('leaves alone what is whole, and what has a title of its own', () => {
  const whole = element(100)
  nameClipped(whole)
  expect(whole.title).toBe('')
  const titled = element(140, 'Since Monday')
  nameClipped(titled)
  expect(titled.title).toBe('Since Monday')
})
