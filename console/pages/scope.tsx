/** A tenant-environment, or one service of it: what runs, and its tabs. */
import { useLocation, useRoute } from 'preact-iso';
import { useRef } from 'preact/hooks';
import type { EnvironmentView } from '../contract.ts';
import { environmentCall, type ScopeNames, scopeName, scopePath } from '../data/paths.ts';
import { useResource } from '../data/resource.ts';
import { HistoryPanel } from '../history/panel.tsx';
import { later } from '../parts/later.tsx';
import { Resource } from '../parts/states.tsx';
import { Title } from '../parts/title.tsx';
import { Overview } from '../scope/overview.tsx';
import { DriftPanel } from './drift.tsx';

type Tab = 'overview' | 'history' | 'compare' | 'drift';

const TABS: readonly (readonly [Tab, string])[] = [
  ['overview', 'Overview'],
  ['history', 'History'],
  ['compare', 'Compare'],
  ['drift', 'Drift'],
];
const ComparePanel = later(() => import('./compare.tsx').then((page) => page.ComparePanel));
const PANELS = { overview: Overview, history: HistoryPanel, compare: ComparePanel, drift: DriftPanel };

export function ScopePage({ tab }: { readonly tab: Tab }) {
  const { params } = useRoute();
  const { tenant = '-', environment = '', service = null } = params;
  const names = { tenant, environment, service };
  const name = scopeName(names);
  const found = useResource<EnvironmentView>(environmentCall(names));
  const Panel = PANELS[tab];
  return (
    <>
      <Crumbs names={names} />
      <Title name={name} />
      <Tabs names={names} tab={tab} />
      <section role="tabpanel" aria-labelledby={`tab-${tab}`} class="panel" key={`${name} ${tab}`}>
        <Resource of={found} lines={6}>
          {(environment) => <Panel names={names} environment={environment} />}
        </Resource>
      </section>
    </>
  );
}

function Crumbs({ names }: { readonly names: ScopeNames }) {
  const { tenant, environment, service } = names;
  return (
    <nav class="crumbs" aria-label="Where this is">
      <a href="/">Environments</a>
      {service && (
        <>
          <span aria-hidden="true">/</span>
          <a href={scopePath({ tenant, environment })}>{scopeName({ tenant, environment })}</a>
        </>
      )}
    </nav>
  );
}

/** Links, so that each tab is an address; arrows go from one to the next. */
function Tabs({ names, tab }: { readonly names: ScopeNames; readonly tab: Tab }) {
  const { route } = useLocation();
  const list = useRef<HTMLDivElement>(null);
  const hrefOf = (to: Tab) => scopePath(names, to === 'overview' ? undefined : to);
  const onKeyDown = (event: KeyboardEvent) => {
    const by = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
    if (by === 0) return;
    event.preventDefault();
    const at = TABS.findIndex(([each]) => each === tab);
    const next = (at + by + TABS.length) % TABS.length;
    route(hrefOf(TABS[next]?.[0] ?? 'overview'));
    list.current?.querySelectorAll('a')[next]?.focus();
  };
  return (
    <div class="tabs" role="tablist" aria-label="Of this scope" ref={list} onKeyDown={onKeyDown}>
      {TABS.map(([each, name]) => (
        <a
          key={each}
          id={`tab-${each}`}
          role="tab"
          href={hrefOf(each)}
          aria-selected={each === tab}
          tabIndex={each === tab ? 0 : -1}
        >
          {name}
        </a>
      ))}
    </div>
  );
}
