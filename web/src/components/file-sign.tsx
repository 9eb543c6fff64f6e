import {
  File,
  FileArchive,
  FileAudio,
  FileImage,
  FileSpreadsheet,
  FileText,
  FileType,
  FileVideo,
  Presentation,
  type LucideIcon,
} from 'lucide-react'
import { classNames } from '../lib/class-names.ts'
import { fileKind, type FileKind } from '../lib/file-kind.ts'

const SIGNS: Record<FileKind, { Sign: LucideIcon; ink: string }> = {
  image: { Sign: FileImage, ink: 'text-status-pending' },
  pdf: { Sign: FileType, ink: 'text-danger-text' },
  text: { Sign: FileText, ink: 'text-accent-text' },
  sheet: { Sign: FileSpreadsheet, ink: 'text-success-text' },
  slides: { Sign: Presentation, ink: 'text-warning-text' },
  archive: { Sign: FileArchive, ink: 'text-warning-text' },
  audio: { Sign: FileAudio, ink: 'text-info-text' },
  video: { Sign: FileVideo, ink: 'text-info-text' },
  other: { Sign: File, ink: 'text-muted' },
}

/** What kind of file it is, as a picture; its name says it too. */
export function FileSign({ contentType, className }: { contentType: string; className?: string }) {
  const { Sign, ink } = SIGNS[fileKind(contentType)]
  return <Sign className={classNames('shrink-0', ink, className ?? 'size-5')} aria-hidden="true" />
}
