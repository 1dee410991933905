/** What names mean in configuration repositories at large. A word is a hint; structure and content decide. */

const set = (words: string) => new Set(words.split(' '));

const SURE = set(
  'production prod prd staging stg preprod preproduction uat qa development nonprod nonproduction sandbox ' +
    // The same in other languages, without accents.
    'produktion produccion producao produzione productie abnahme entwicklung recette homologacao hml homolog desarrollo pruebas ' +
    'collaudo sviluppo acceptatie ontwikkeling 本番 検証 開発 生产 测试 开发 预发',
);
const LIKELY = set(
  'dev devel test testing tst stage live local demo perf performance int integration acc acceptance sit e2e canary edge preview dr lab',
);

/** Folders whose children are environments, tenants or services, whatever those are called. */
export const ENVIRONMENT_FOLDERS = set(
  'environments environment envs env clusters cluster stages overlays landscapes sites regions stacks variables',
);
export const TENANT_FOLDERS = set('tenants tenant customers clients teams orgs organizations accounts');
export const SERVICE_FOLDERS = set(
  'services apps applications workloads releases microservices projects charts deployments products components',
);

/** Folders that say what kind of files they hold. */
const CONTENT_FOLDERS = set(
  'values config configs configuration settings helm helmfile kustomize kubernetes k8s argocd argo-cd flux manifests secrets infrastructure infra ' +
    'platform system bootstrap addons overlays base monitoring variables vars image-tags images versions argo-cd-apps',
);
export const isContentFolder = (name: string) => CONTENT_FOLDERS.has(name.toLowerCase());

/** Folders that hold what other tools made from the rest. */
export const GENERATED_FOLDERS = set(
  'delivery rendered generated hydrated compiled output out dist build target',
);

/** Sources and tools: never looked into. */
export const SKIPPED_FOLDERS = set(
  'node_modules vendor src test tests testdata __tests__ fixtures docs doc examples hack ci',
);

/** Beside environments, but none themselves. */
const NO_ENVIRONMENT = set(
  'base bases common shared global globals default defaults template templates components component lib library ' +
    'modules scripts docs readme owners codeowners charts crds crd hack tools patches resources secrets policies infrastructure infra apps services',
);

/** What several environments have in common. */
const SHARED = set(
  'base bases common shared global globals default defaults components component values lib library',
);
export const isSharedName = (stem: string) => SHARED.has(stem.toLowerCase());

/** `test-secrets`, `k-components`: what such a name ends with says what it holds. */
const NO_LAST_WORD = set(
  'secrets policies resources patches templates scripts tools docs charts crds modules components readme',
);

/** Beside services, but none themselves: what holds or wires them. */
const NO_SERVICE = set(
  'kustomization kustomizeconfig base bases common shared global globals default defaults components component patches patch ' +
    'overlays templates crds namespace namespaces environment bindings secrets config configs configmap configmaps flux-system ' +
    'gotk-components gotk-sync argocd readme codeowners license owners resources policies services apps applications workloads ' +
    'releases charts repositories sources root-app bootstrap environments clusters group_vars host_vars',
);

/** Files of one service, or of none; folders of these names may well be services. */
const NO_SERVICE_FILE = set(
  'values chart helmfile variables terraform main backend providers outputs versions service deployment ingress hpa pdb ' +
    'serviceaccount secret sealedsecret networkpolicy version metadata settings spec main all index project account region cluster hosts',
);

/** A region or a cloud, or one word of their names: `eu-west-1`, `us`, `westeurope`, `2`. */
const REGION =
  /^(?:(?:us|eu|ap|sa|ca|me|af|cn|il|mx)(?:-gov)?(?:-?(?:north|south|east|west|central){1,2})?(?:-?\d{1,2}[a-z]?)?|(?:europe|asia|australia|africa)(?:-[a-z]+\d{0,2})?|(?:north|south|east|west|central){1,2}(?:us|europe|asia|india)?\d{0,2}|aws|gcp|azure|onprem|\d+)$/;

/** Words of a name: `prod-eu-west-1`, `staging2`. */
const tokens = (name: string) =>
  plainOf(name)
    .split(/[-_. ]/)
    .filter(Boolean);

/** Small letters without accents. */
const plainOf = (name: string) =>
  /^[\x20-\x7e]*$/.test(name)
    ? name.toLowerCase()
    : name
        .normalize('NFD')
        .replace(/[\u0300-\u036f]/g, '')
        .normalize('NFC')
        .toLowerCase();

function wordWeight(word: string): number {
  const plain = word.replace(/\d+$/, '');
  return SURE.has(plain) ? 1 : LIKELY.has(plain) ? 0.5 : 0;
}

export interface EnvironmentWord {
  /** 0 to 1. */
  readonly weight: number;
  /** What the name says besides, `acme` in `acme-prod`; '' where that is nothing or a region. */
  readonly rest: string;
}

/** What a name says about being an environment; weight 0 where it says nothing. */
export function environmentWord(name: string): EnvironmentWord {
  const lower = plainOf(name);
  const whole = wordWeight(lower.replace(/[-_]/g, ''));
  if (whole > 0) return { weight: whole, rest: '' };
  const words = tokens(name);
  const at = words.findIndex((word) => wordWeight(word) > 0);
  const word = words[at];
  if (word === undefined) return glued(lower);
  const rest = words.filter((other, index) => index !== at && !REGION.test(other));
  return { weight: wordWeight(word) * 0.9, rest: rest.join('-') };
}

/** `idfprod`, `eudev`: the end of a word says less than a word. */
function glued(lower: string): EnvironmentWord {
  const match =
    /^(.{2,})(?:production|prod|prd|staging|stage|stg|develop|dev|test|tst|uat|int|demo|sandbox)\d*$/.exec(
      lower,
    );
  if (match) return { weight: 0.45, rest: match[1] ?? '' };
  return { weight: 0, rest: '' };
}

/** `v1.2`, `2024.1.0`: it says when, not where. */
export const isVersion = (name: string) => /^(?:v\d+|v?\d+(?:[._]\d+)+)(?![\p{L}])/iu.test(name);

export const isRegion = (name: string) => REGION.test(name.toLowerCase());
export const isNoEnvironment = (name: string) =>
  NO_ENVIRONMENT.has(name.toLowerCase()) ||
  (/[-_.]/.test(name) && NO_LAST_WORD.has(tokens(name).at(-1) ?? ''));
export const isNoServiceFile = (stem: string) => NO_SERVICE_FILE.has(stem.toLowerCase()) || isNoService(stem);
export const isNoService = (name: string) => NO_SERVICE.has(name.toLowerCase()) || name.startsWith('_');

/** Endings of files that describe deployments, templates of them included; null for others. '' is a name without an ending. */
export function endingOf(name: string): string | null {
  const match =
    /(\.(?:ya?ml|json|toml|env|properties|hcl|tfvars|cue|jsonnet)(?:\.(?:gotmpl|tpl|tmpl|j2))?)$/i.exec(name);
  if (match && match.index > 0) return isTooling(name) ? null : (match[1] ?? null);
  return /^[A-Za-z0-9][\w-]*$/.test(name) &&
    !/^(?:[A-Z]+|Makefile|Dockerfile|Jenkinsfile|Vagrantfile|Procfile|Gemfile|Tiltfile|Brewfile|Justfile)$/.test(
      name,
    )
    ? ''
    : null;
}

/** What belongs to programs and editors. */
const isTooling = (name: string) =>
  /^(?:package(?:-lock)?|tsconfig.*|composer|renovate|biome|angular|nx|lerna|turbo|docker-compose.*|compose|mkdocs|pnpm-.*|skaffold|codecov|pyproject|cargo)\.(?:json|ya?ml|toml)$/i.test(
    name,
  );

/** Texts that people put around the name of a service in the name of its file. */
export const AFFIXES: readonly { readonly before: string; readonly after: string }[] = [
  ...['-values', '.values', '-release', '-helmrelease', '-patch', '-application', '-app', '-config'].map(
    (after) => ({ before: '', after }),
  ),
  ...['values-', 'values.', 'release-', 'app-'].map((before) => ({ before, after: '' })),
];
