/** All environments, by tenant; typed letters leave those that have them. */
import { useState } from 'preact/hooks';
import type { Environment, Environments as Value } from '../contract.ts';
import { scopePath } from '../data/paths.ts';
import { useResource } from '../data/resource.ts';
import { Command } from '../parts/command.tsx';
import { Findings } from '../parts/findings.tsx';
import { commandLine } from '../parts/shell-words.ts';
import { Empty, Resource } from '../parts/states.tsx';
import { Title } from '../parts/title.tsx';

export function Environments() {
  const found = useResource<Value>('/environments');
  return (
    <>
      <Title name="Environments" />
      <Resource of={found} lines={8}>
        {(value) => <List value={value} />}
      </Resource>
      <Command line={commandLine('environments')} />
    </>
  );
}

function List({ value: { environments, findings = [] } }: { readonly value: Value }) {
  const [text, setText] = useState('');
  const words = text.toLowerCase().split(/\s+/);
  const shown = environments.filter(({ tenant, environment, services }) => {
    const names = [tenant ?? '', environment, ...services].join(' ').toLowerCase();
    return words.every((word) => names.includes(word));
  });
  if (environments.length === 0)
    return (
      <>
        <Empty>
          There is no environment here that you may see. Where others see none either, the layout of the
          configuration finds none on the branch.
        </Empty>
        <Findings of={findings} />
      </>
    );
  return (
    <>
      <Findings of={findings} />
      {environments.length > 6 && (
        <label class="filter">
          <span>Filter</span>
          <input type="search" value={text} onInput={({ currentTarget }) => setText(currentTarget.value)} />
        </label>
      )}
      {shown.length === 0 && <Empty>No environment has that in its names.</Empty>}
      {tenantsOf(shown).map(([tenant, of]) => (
        <section class="tenant" key={tenant}>
          {tenant !== '' && <h2>{tenant}</h2>}
          <ul class="cards">
            {of.map((each) => (
              <EnvironmentCard key={each.environment} of={each} />
            ))}
          </ul>
        </section>
      ))}
    </>
  );
}

function EnvironmentCard({ of }: { readonly of: Environment }) {
  const { environment, services } = of;
  return (
    <li class="card">
      <a class="title" href={scopePath(of)} data-row>
        {environment}
      </a>
      <ul class="chips" aria-label={`Services of ${environment}`}>
        {services.map((service) => (
          <li key={service}>
            <a class="chip" href={scopePath({ ...of, service })}>
              {service}
            </a>
          </li>
        ))}
      </ul>
    </li>
  );
}

function tenantsOf(environments: readonly Environment[]): readonly (readonly [string, Environment[]])[] {
  const tenants = new Map<string, Environment[]>();
  for (const each of environments)
    tenants.set(each.tenant ?? '', [...(tenants.get(each.tenant ?? '') ?? []), each]);
  return [...tenants];
}
