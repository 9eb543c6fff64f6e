import { useEffect, useEffectEvent, useState } from 'react'

const hasFiles = ({ dataTransfer }: DragEvent) => dataTransfer?.types.includes('Files') === true

/** What was dropped, without folders: they have no content to send. */
function droppedFiles(transfer: DataTransfer): { files: File[]; folders: number } {
  const entries = [...transfer.items].filter(({ kind }) => kind === 'file')
  const isFolder = (item: DataTransferItem) => item.webkitGetAsEntry()?.isDirectory === true
  const files = entries.filter((item) => !isFolder(item)).map((item) => item.getAsFile())
  return { files: files.filter((file) => file !== null), folders: entries.filter(isFolder).length }
}

/**
 * Takes files that are dropped anywhere on the page, which a browser would open in its place, and says whether some
 * are held over it.
 */
export function useFileDrop(onDrop: (files: File[], folders: number) => void): boolean {
  const [isOver, setIsOver] = useState(false)
  const drop = useEffectEvent(onDrop)
  useEffect(() => {
    // A window over the page is about something else.
    const isCovered = () => document.querySelector('[role="dialog"], [role="alertdialog"]') !== null
    const over = (event: DragEvent) => {
      if (!hasFiles(event)) return
      event.preventDefault()
      if (event.dataTransfer) event.dataTransfer.dropEffect = isCovered() ? 'none' : 'copy'
      setIsOver(!isCovered())
    }
    const leave = (event: DragEvent) => {
      if (event.relatedTarget === null) setIsOver(false)
    }
    const dropped = (event: DragEvent) => {
      if (!hasFiles(event)) return
      event.preventDefault()
      setIsOver(false)
      if (isCovered() || !event.dataTransfer) return
      const { files, folders } = droppedFiles(event.dataTransfer)
      drop(files, folders)
    }
    document.addEventListener('dragover', over)
    document.addEventListener('dragleave', leave)
    document.addEventListener('drop', dropped)
    return () => {
      document.removeEventListener('dragover', over)
      document.removeEventListener('dragleave', leave)
      document.removeEventListener('drop', dropped)
    }
  }, [])
  return isOver
}
