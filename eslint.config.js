import { readdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import { createNodeResolver, importX } from 'eslint-plugin-import-x'
import jsxA11y from 'eslint-plugin-jsx-a11y'
import reactHooks from 'eslint-plugin-react-hooks'
import { defineConfig, globalIgnores } from 'eslint/config'
import tseslint from 'typescript-eslint'

const typescript = '**/*.{ts,tsx}'
const tests = ['**/*.test.{ts,tsx}', '**/tests/**', '**/testing.ts', '**/testing/**', 'web/e2e/**']

/** `rooms` may import nothing from `others`. */
const wall = (rooms, others, message) =>
  rooms.map((room) => ({ target: `./${room}`, from: others.map((other) => `./${other}`), message }))

const featuresFolder = 'web/src/features'
const features = readdirSync(join(import.meta.dirname, featuresFolder), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name)

const walls = [
  ...wall(['server'], ['worker', 'web'], 'Server and worker share the database, not code.'),
  ...wall(['worker'], ['web'], 'The worker knows nothing of the web.'),
  {
    target: './worker',
    from: './server',
    // What both must do alike: open what was sealed, and find a file where the other one put it.
    except: ['./encryption.ts', './key-ring.ts', './storage'],
    message: 'Server and worker share the database, and little code.',
  },
  ...wall(['db'], ['server', 'worker', 'web'], 'The database knows nothing of those who use it.'),
  ...wall(['web'], ['server', 'worker', 'db', 'infra', 'bench'], 'The web knows the API, not who serves it.'),
  ...wall(
    ['web/src/components', 'web/src/lib', 'web/src/styles', 'web/src/graphql'],
    ['web/src/features', 'web/src/app'],
    'Imports go app → features → components and lib, never back.',
  ),
  ...wall([featuresFolder], ['web/src/app'], 'Imports go app → features → components and lib, never back.'),
  ...features.map((name) => ({
    target: `./${featuresFolder}/${name}`,
    from: `./${featuresFolder}`,
    except: [`./${name}`],
    message: 'A feature never imports another one; what two need is a component or belongs in lib.',
  })),
]

const toolWalls = wall(
  ['server', 'worker'],
  ['db', 'infra', 'bench'],
  'What runs in production never needs the tools of development.',
)

const fileNames = {
  rules: {
    'file-name': {
      meta: { type: 'suggestion', schema: [{ enum: ['kebab', 'snake'] }] },
      create: (context) => ({
        Program(node) {
          const [word] = context.options
          const name = basename(context.filename)
          const pattern =
            word === 'snake' ? /^[a-z0-9]+(_[a-z0-9]+)*(\.[a-z0-9]+)+$/ : /^[a-z0-9]+([-.][a-z0-9]+)+$/
          if (!pattern.test(name)) context.report({ node, message: `${name} is not in ${word} case.` })
          if (/^index\.[jt]sx?$/.test(name)) {
            context.report({ node, message: 'A file named index says nothing, and invites a barrel.' })
          }
        },
      }),
    },
  },
}

export default defineConfig(
  globalIgnores([
    'node_modules',
    '.atum',
    'coverage',
    'web/dist',
    'web/public',
    'web/src/generated',
    '**/*.d.ts',
  ]),
  {
    files: ['**/*.{js,mjs}', typescript],
    plugins: { 'import-x': importX, house: fileNames },
    settings: { 'import-x/resolver-next': [createNodeResolver()] },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'no-console': 'off',
      'no-var': 'error',
      'object-shorthand': 'error',
      'prefer-const': 'error',
      'import-x/no-default-export': 'error',
      'import-x/no-duplicates': 'error',
      'import-x/no-self-import': 'error',
      'import-x/no-restricted-paths': ['error', { zones: [...walls, ...toolWalls] }],
      'no-restricted-syntax': [
        'error',
        { selector: 'ExportAllDeclaration', message: 'No barrels: import from the file that has it.' },
        {
          selector: 'ExportNamedDeclaration[source.value=/^[.]/]',
          message: 'No barrels: import from the file that has it.',
        },
      ],
      'no-restricted-properties': [
        'error',
        {
          object: 'process',
          property: 'env',
          message: "The environment is read once, in the process's env.ts.",
        },
      ],
      'house/file-name': ['error', 'kebab'],
    },
  },
  {
    files: [typescript],
    extends: [tseslint.configs.recommended],
    rules: {
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      // tsc reports these itself.
      '@typescript-eslint/no-unused-vars': 'off',
    },
  },
  {
    // With the types known: the mistakes around promises that neither tsc nor a test shows.
    files: [typescript],
    ignores: ['web/e2e/**'],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/await-thenable': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-unnecessary-type-assertion': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
    },
  },
  {
    files: ['web/**/*.{ts,tsx}'],
    extends: [jsxA11y.flatConfigs.recommended],
    plugins: { 'react-hooks': reactHooks },
    rules: {
      // The plugin's other rules run a compiler over each component, which takes 7 s here.
      'react-hooks/rules-of-hooks': 'error',
      'react-hooks/exhaustive-deps': 'error',
      // In our components it says where the focus goes when what had it is replaced; the primitives see to the rest.
      'jsx-a11y/no-autofocus': ['error', { ignoreNonDOM: true }],
      // A table that is laid out as a grid is no table to a screen reader unless its parts say so.
      'jsx-a11y/no-redundant-roles': [
        'error',
        { thead: ['rowgroup'], tbody: ['rowgroup'], nav: ['navigation'] },
      ],
      'jsx-a11y/no-interactive-element-to-noninteractive-role': [
        'error',
        { tr: ['row', 'none', 'presentation'], td: ['cell'], th: ['columnheader'], canvas: ['img'] },
      ],
    },
  },
  {
    files: tests,
    rules: { 'import-x/no-restricted-paths': ['error', { zones: walls }] },
  },
  {
    // The whole product is on stage there.
    files: ['web/e2e/**'],
    rules: { 'import-x/no-restricted-paths': 'off' },
  },
  {
    // Programs that are started from a shell, with what it hands them.
    files: [
      '**/env.ts',
      '{server,worker}/main.ts',
      '**/*.test.ts',
      'infra/**',
      'bench/**',
      'db/*.ts',
      '*.config.{js,ts}',
    ],
    rules: { 'no-restricted-properties': 'off' },
  },
  {
    // The router loads a route's file and asks it for a `Component`.
    files: ['web/src/app/routes/**'],
    rules: { 'no-restricted-syntax': 'off' },
  },
  {
    // What a framework loads by file.
    files: ['**/*.config.{js,ts}', 'worker/tasks/**', 'infra/dev/test-database.ts', 'web/src/vite-env.d.ts'],
    rules: { 'import-x/no-default-export': 'off' },
  },
  {
    // The file's name is the task's name in SQL.
    files: ['worker/tasks/**'],
    rules: { 'house/file-name': ['error', 'snake'] },
  },
)
