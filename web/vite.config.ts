import { join } from 'node:path'
import tailwind from '@tailwindcss/vite'
import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'
import { pdfReaderFiles } from './pdf-reader-files.ts'
import { trustedDocuments } from './trusted-documents.ts'

/** Where the API listens while `vite dev` serves the screens; the built files are served by the API itself. */
const api = 'http://127.0.0.1:8000'

export default defineConfig({
  root: import.meta.dirname,
  plugins: [react(), tailwind(), trustedDocuments(join(import.meta.dirname, 'src')), pdfReaderFiles()],
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    target: ['chrome123', 'edge123', 'firefox121', 'safari17.5'],
    // A `data:` font or image would be refused by the content security policy.
    assetsInlineLimit: 0,
  },
  server: {
    proxy: {
      '/api': { target: api },
      '/graphql': { target: api, ws: true },
    },
  },
})
