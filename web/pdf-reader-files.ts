import { readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import type { Plugin } from 'vite'

/** What the reader asks for by name while it draws: fonts, the writing of East Asia, and pictures as scanners keep them. */
const FOLDERS = {
  cmaps: /\.bcmap$|^LICENSE/,
  standard_fonts: /\.(pfb|ttf)$|^LICENSE/,
  // The other ones are WebAssembly, which the content security policy refuses.
  wasm: /_nowasm_fallback\.js$|^LICENSE_(PDFJS_)?(JBIG2|OPENJPEG)$/,
}

/** Puts the files that the PDF reader loads by itself beside the built web, under `pdf/`. */
export function pdfReaderFiles(): Plugin {
  const reader = dirname(createRequire(import.meta.url).resolve('pdfjs-dist/package.json'))
  return {
    name: 'pdf-reader-files',
    generateBundle() {
      for (const [folder, wanted] of Object.entries(FOLDERS)) {
        for (const file of readdirSync(join(reader, folder)).filter((name) => wanted.test(name))) {
          this.emitFile({
            type: 'asset',
            fileName: `pdf/${folder}/${file}`,
            source: readFileSync(join(reader, folder, file)),
          })
        }
      }
    },
  }
}
