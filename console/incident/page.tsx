/** Many scopes at once: chosen, looked at, asked for, followed in one table. */
import { useLocation, useRoute } from 'preact-iso';
import { Title } from '../parts/title.tsx';
import { IncidentForm } from './form.tsx';
import { IncidentTable } from './table.tsx';

export function Incident() {
  const { query } = useRoute();
  const { url } = useLocation();
  const { id = '' } = query;
  const chosen = new URLSearchParams(url.split('?')[1] ?? '');
  return (
    <>
      <Title name={id === '' ? 'Incident' : `Incident ${id}`} />
      {id === '' ? (
        <IncidentForm scopes={chosen.getAll('scope')} to={chosen.get('to') ?? 'previous'} />
      ) : (
        <IncidentTable id={id} />
      )}
    </>
  );
}
