/** What browsers call a bitmap in the clipboard, which has no name of its own. */
const NAMELESS = /^image\.(png|jpe?g|gif|webp|bmp|tiff?)$/i

/** As much of a clipboard as tells what was meant. */
export interface Pasted {
  files: readonly File[]
  text: string
}

/**
 * The files that a paste means; none where it means its text. Office programs put a picture of the text beside the
 * text, and file managers put the names of files beside the files.
 */
export function pastedFiles({ files, text }: Pasted, nameFor: (extension: string) => string): File[] {
  const isPictureOfText = files.length > 0 && files.every(({ name }) => NAMELESS.test(name))
  if (isPictureOfText && text.trim() !== '') return []
  return files.map((file) => {
    const extension = NAMELESS.exec(file.name)?.[1]
    return extension ? new File([file], nameFor(extension), { type: file.type }) : file
  })
}

/** A moment as part of a file's name: sorted by time, and allowed on every system. */
export function momentInName(moment: Date): string {
  const two = (value: number) => String(value).padStart(2, '0')
  const day = [moment.getFullYear(), two(moment.getMonth() + 1), two(moment.getDate())].join('-')
  const time = [two(moment.getHours()), two(moment.getMinutes()), two(moment.getSeconds())].join('.')
  return `${day} ${time}`
}
