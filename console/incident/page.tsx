/** Many scopes at once: chosen, looked at, asked for, followed in one table, and decided on together. */
import { useLocation, useRoute } from 'preact-iso';
import { Title } from '../parts/title.tsx';
import { readDraft } from './draft.ts';
import { Followed } from './followed.tsx';
import { IncidentForm } from './form.tsx';
import { wishOf } from './wish.ts';

export function Incident() {
  const { query } = useRoute();
  const { url } = useLocation();
  const { id = '' } = query;
  return (
    <>
      <Title name={id === '' ? 'Incident' : `Incident ${id}`} />
      {id === '' ? (
        <IncidentForm wish={wishOf(url.split('?')[1] ?? '', readDraft())} />
      ) : (
        <Followed key={id} id={id} />
      )}
    </>
  );
}
