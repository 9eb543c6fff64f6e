import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'

type Channels = [number, number, number]

const css = readFileSync(new URL('./tokens.css', import.meta.url), 'utf8')

/** Every `--color-x: light-dark(oklch(…), oklch(…))`, as linear sRGB in both themes. */
const colours = new Map<string, { light: Channels; dark: Channels }>()
for (const [, name, light, dark] of css.matchAll(
  /--color-([\w-]+): light-dark\(oklch\(([^)]+)\), oklch\(([^)]+)\)\);/g,
)) {
  if (name && light && dark) colours.set(name, { light: linear(light), dark: linear(dark) })
}

function linear(oklch: string): Channels {
  const [lightness = 0, chroma = 0, hue = 0] = oklch.split(/[\s/]+/).map(Number)
  const a = chroma * Math.cos((hue * Math.PI) / 180)
  const b = chroma * Math.sin((hue * Math.PI) / 180)
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3
  return [
    4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
    -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
    -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s,
  ]
}

function luminance([red, green, blue]: Channels): number {
  const inGamut = (value: number) => Math.min(1, Math.max(0, value))
  return 0.2126 * inGamut(red) + 0.7152 * inGamut(green) + 0.0722 * inGamut(blue)
}

function contrast(one: string, other: string, theme: 'light' | 'dark'): number {
  const first = colours.get(one)
  const second = colours.get(other)
  if (!first || !second) throw new Error(`No token --color-${first ? other : one}`)
  const [high, low] = [luminance(first[theme]), luminance(second[theme])].sort((a, b) => b - a) as [
    number,
    number,
  ]
  return (high + 0.05) / (low + 0.05)
}

const GROUNDS = ['sunken', 'canvas', 'surface', 'raised', 'hover', 'selected']
const STATUSES = ['new', 'open', 'pending', 'on-hold', 'resolved', 'closed']
const MEANINGS = ['danger', 'warning', 'success', 'info']

const TEXT: [ink: string, grounds: string[]][] = [
  ['text', [...GROUNDS, 'note', 'sun-soft']],
  ['muted', [...GROUNDS, 'sun-soft', 'sky']],
  ['faint', GROUNDS],
  ['accent-text', [...GROUNDS, 'accent-soft', 'note']],
  ['note-text', ['note', 'sun-soft', 'raised']],
  ['on-accent', ['accent', 'accent-hover']],
  ['on-danger', ['danger', 'danger-hover']],
  ...MEANINGS.map((name): [string, string[]] => [`${name}-text`, [...GROUNDS, `${name}-soft`]]),
  ...STATUSES.map((name): [string, string[]] => [`status-${name}`, [...GROUNDS, `status-${name}-soft`]]),
  ...['low', 'normal', 'high', 'urgent'].map((name): [string, string[]] => [`priority-${name}`, GROUNDS]),
]

const SHAPES: [ink: string, grounds: string[]][] = [
  ['border-strong', ['canvas', 'surface', 'raised']],
  ['focus', [...GROUNDS, 'note']],
  ['accent', ['canvas', 'surface', 'sunken']],
  ['danger', ['canvas', 'surface', 'sunken']],
]

describe.each(['light', 'dark'] as const)('the %s theme', (theme) => {
  it.each(TEXT)('lets %s be read (4.5:1)', (ink, grounds) => {
    const tooFaint = grounds.filter((ground) => contrast(ink, ground, theme) < 4.5)
    expect(tooFaint.map((ground) => `${ground} ${contrast(ink, ground, theme).toFixed(2)}`)).toEqual([])
  })

  it.each(SHAPES)('lets %s be seen (3:1)', (ink, grounds) => {
    const tooFaint = grounds.filter((ground) => contrast(ink, ground, theme) < 3)
    expect(tooFaint.map((ground) => `${ground} ${contrast(ink, ground, theme).toFixed(2)}`)).toEqual([])
  })
})

it('knows black from white', () => {
  const white = luminance(linear('1 0 0'))
  const black = luminance(linear('0 0 0'))
  expect((white + 0.05) / (black + 0.05)).toBeCloseTo(21, 1)
})
