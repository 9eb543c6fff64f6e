import { useEffect, useRef, useState } from 'react'
import { previewLink } from '../lib/file-links.ts'
import { FileSign } from './file-sign.tsx'

export interface FileThumbnailProps {
  file: { id: string; contentType: string }
  className: string
}

/** A small picture of a file, read when it comes into sight; where there is none, its kind. Decorative. */
export function FileThumbnail({ file, className }: FileThumbnailProps) {
  const frame = useRef<HTMLSpanElement>(null)
  const [source, setSource] = useState<string | null>(null)
  const [isBroken, setIsBroken] = useState(false)
  useEffect(() => {
    const element = frame.current
    if (!element) return
    let isOver = false
    const observer = new IntersectionObserver(
      ([entry]) => {
        if (!entry?.isIntersecting) return
        observer.disconnect()
        previewLink(file.id).then(
          (address) => !isOver && setSource(address),
          () => !isOver && setIsBroken(true),
        )
      },
      { rootMargin: '200px' },
    )
    observer.observe(element)
    return () => {
      isOver = true
      observer.disconnect()
    }
  }, [file.id])
  return (
    <span ref={frame} className={className}>
      {source && !isBroken ? (
        <img
          src={source}
          alt=""
          decoding="async"
          draggable={false}
          onError={() => setIsBroken(true)}
          className="size-full animate-enter object-cover"
        />
      ) : (
        <FileSign contentType={file.contentType} className="m-auto size-6" />
      )}
    </span>
  )
}
