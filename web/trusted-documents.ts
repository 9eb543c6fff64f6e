import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { formatDocument } from '@urql/core'
import { type DocumentNode, type FragmentDefinitionNode, Kind, parse, print, visit } from 'graphql'
import type { Plugin } from 'vite'

const virtualModule = 'virtual:trusted-documents'
const literal = /\bgraphql\(\s*`([^`]*)`/g

/** The operations of the web: what a server is told beforehand, by hash, and the hash of each by its name. */
export interface TrustedDocuments {
  texts: Record<string, string>
  hashes: Record<string, string>
}

/**
 * Reads every operation from the sources. gql.tada takes plain text only, so that what stands in a source is what is
 * sent; the fragments that an operation names are put beside it, wherever they are written.
 */
export function readTrustedDocuments(sources: string): TrustedDocuments {
  const fragments = new Map<string, FragmentDefinitionNode>()
  const operations = new Map<string, DocumentNode>()
  for (const file of readdirSync(sources, { recursive: true, encoding: 'utf8' })) {
    if (!/\.tsx?$/.test(file) || /\.test\.tsx?$/.test(file)) continue
    for (const [, text = ''] of readFileSync(join(sources, file), 'utf8').matchAll(literal)) {
      const document = parse(text)
      for (const definition of document.definitions) {
        if (definition.kind === Kind.FRAGMENT_DEFINITION) {
          fragments.set(definition.name.value, definition)
        } else if (definition.kind === Kind.OPERATION_DEFINITION) {
          const name = definition.name?.value
          if (!name) throw new Error(`${file}: an operation needs a name`)
          if (operations.has(name)) throw new Error(`${file}: there are two operations called ${name}`)
          operations.set(name, { kind: Kind.DOCUMENT, definitions: [definition] })
        }
      }
    }
  }

  const texts: Record<string, string> = {}
  const hashes: Record<string, string> = {}
  for (const [name, operation] of operations) {
    const definitions = [...operation.definitions, ...fragmentsOf(operation, fragments)]
    // As the cache asks for it, with the type of everything.
    const text = print(
      formatDocument({ kind: Kind.DOCUMENT, definitions } satisfies DocumentNode) as DocumentNode,
    )
    const hash = createHash('sha256').update(text).digest('hex')
    texts[hash] = text
    hashes[name] = hash
  }
  return { texts, hashes }
}

/** Every fragment that a document needs, those of fragments included. */
function fragmentsOf(
  document: DocumentNode,
  known: ReadonlyMap<string, FragmentDefinitionNode>,
): FragmentDefinitionNode[] {
  const found = new Map<string, FragmentDefinitionNode>()
  const look = (node: DocumentNode | FragmentDefinitionNode) => {
    visit(node, {
      FragmentSpread({ name: { value: name } }) {
        const fragment = known.get(name)
        if (!fragment) throw new Error(`There is no fragment called ${name}`)
        if (found.has(name)) return
        found.set(name, fragment)
        look(fragment)
      },
    })
  }
  look(document)
  return [...found.values()]
}

/**
 * Tells the built web the hash of each of its operations, and writes what they stand for beside it, as `documents.json`,
 * for the server. While the sources are served as they are there are no hashes, and the texts are sent.
 */
export function trustedDocuments(sources: string): Plugin {
  let documents: TrustedDocuments = { texts: {}, hashes: {} }
  return {
    name: 'trusted-documents',
    buildStart() {
      if (this.environment.mode === 'build') documents = readTrustedDocuments(sources)
    },
    resolveId: (id) => (id === virtualModule ? `\0${virtualModule}` : undefined),
    load: (id) =>
      id === `\0${virtualModule}`
        ? `export const documentHashes = ${JSON.stringify(documents.hashes)}`
        : undefined,
    generateBundle() {
      this.emitFile({
        type: 'asset',
        fileName: 'documents.json',
        source: JSON.stringify(documents.texts),
      })
    },
  }
}
