import { partsOf } from '../lib/marked-text.ts'

/** Text with the words that matched a search marked. It is text: nothing in it is markup. */
export function MarkedText({ children }: { children: string }) {
  return partsOf(children).map(({ text, isMarked }, index) =>
    isMarked ? (
      <mark key={index} className="rounded-sm bg-accent-soft px-0.5 font-semibold text-accent-text">
        {text}
      </mark>
    ) : (
      text
    ),
  )
}
