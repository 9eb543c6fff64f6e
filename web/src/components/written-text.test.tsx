import { renderToStaticMarkup } from 'react-dom/server'
import { expect, it } from 'vitest'
import { WrittenText } from './written-text.tsx'

const markup = (text: string) => renderToStaticMarkup(<WrittenText>{text}</WrittenText>)

it('never makes an element of what somebody wrote', () => {
  expect(markup('<img src=x onerror="alert(1)"> & <a href="javascript:alert(1)">x</a>')).toBe(
    '&lt;img src=x onerror=&quot;alert(1)&quot;&gt; &amp; &lt;a href=&quot;javascript:alert(1)&quot;&gt;x&lt;/a&gt;',
  )
})

it('opens an address in a tab that knows nothing of this one', () => {
  const link = markup('See https://example.com/?a="b"')
  expect(link).toMatch(
    /^See <a href="https:\/\/example\.com\/\?a=" target="_blank" rel="noopener noreferrer nofollow"/,
  )
  expect(link).toMatch(/>https:\/\/example\.com\/\?a=<\/a>&quot;b&quot;$/)
})
