import { Title } from '../parts/title.tsx';

export function NotFound() {
  return (
    <section class="problem missing">
      <Title name="No such page" />
      <p>There is no page at this address.</p>
      <p>
        <a class="target" href="/">
          All environments
        </a>
      </p>
    </section>
  );
}
