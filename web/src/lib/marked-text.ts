const START = '\uE000'
const END = '\uE001'

export interface Part {
  text: string
  isMarked: boolean
}

/** A text of `searchTickets` in its parts: what stands between U+E000 and U+E001 matched. */
export function partsOf(text: string): Part[] {
  return text
    .split(START)
    .flatMap((piece, index): Part[] => {
      if (index === 0) return [{ text: piece, isMarked: false }]
      const end = piece.indexOf(END)
      return end < 0
        ? [{ text: piece, isMarked: false }]
        : [
            { text: piece.slice(0, end), isMarked: true },
            { text: piece.slice(end + 1), isMarked: false },
          ]
    })
    .map(({ text: part, isMarked }) => ({ text: part.replaceAll(END, ''), isMarked }))
    .filter(({ text: part }) => part !== '')
}
