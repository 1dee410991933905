/** Which page an address is. Each is a URL that works when it is pasted; server/page/routes.ts has the same list. */
import { LocationProvider, Route, Router, useLocation } from 'preact-iso';
import { useEffect } from 'preact/hooks';
import { followEvents } from './data/events.ts';
import { session } from './data/session.ts';
import { Environments } from './pages/environments.tsx';
import { Holds } from './pages/holds.tsx';
import { NotFound } from './pages/not-found.tsx';
import { Requests } from './pages/requests.tsx';
import { ScopePage } from './pages/scope.tsx';
import { SignedOut } from './pages/signed-out.tsx';
import { later } from './parts/later.tsx';
import { Problem } from './parts/states.tsx';
import { Shell } from './shell/shell.tsx';

// What is not needed first is loaded when it is asked for.
const Wizard = later(() => import('./wizard/page.tsx').then((page) => page.Wizard));
const RequestPage = later(() => import('./requests/page.tsx').then((page) => page.RequestPage));
const Audit = later(() => import('./audit/page.tsx').then((page) => page.Audit));
const Incident = later(() => import('./incident/page.tsx').then((page) => page.Incident));

const ENVIRONMENT = '/e/:tenant/:environment';
const SERVICE = `${ENVIRONMENT}/:service`;

export function App() {
  const known = session.value;
  if (known.state === 'signed-out') return <SignedOut problem={known.problem} />;
  if (known.state === 'unknown')
    return (
      <main class="lonely">
        <h1>Backtrail</h1>
        <Problem problem={known.problem} onRetry={() => location.reload()} />
      </main>
    );
  if (known.state === 'asking') return <main class="lonely" aria-busy="true" />;
  return <SignedIn />;
}

function SignedIn() {
  useEffect(followEvents, []);
  return (
    <LocationProvider>
      <Shell>
        <Pages />
      </Shell>
    </LocationProvider>
  );
}

/** An address that cannot be decoded leads nowhere: the router would fail on it. */
function Pages() {
  const { path } = useLocation();
  if (!isDecodable(path)) return <NotFound />;
  return (
    <Router>
      <Route path="/" component={Environments} />
      {...TABS.map((tab) => <Route path={`${ENVIRONMENT}/${tab}`} component={ScopePage} tab={tab} />)}
      {...TABS.map((tab) => <Route path={`${SERVICE}/${tab}`} component={ScopePage} tab={tab} />)}
      <Route path={`${ENVIRONMENT}/rollback`} component={Wizard} />
      <Route path={`${SERVICE}/rollback`} component={Wizard} />
      <Route path={ENVIRONMENT} component={ScopePage} tab="overview" />
      <Route path={SERVICE} component={ScopePage} tab="overview" />
      <Route path="/requests" component={Requests} />
      <Route path="/requests/:id" component={RequestPage} />
      <Route path="/holds" component={Holds} />
      <Route path="/audit" component={Audit} />
      <Route path="/incident" component={Incident} />
      <Route default component={NotFound} />
    </Router>
  );
}

function isDecodable(path: string): boolean {
  try {
    // Its value is used: a build leaves out a call whose value is not.
    return decodeURIComponent(path) !== '';
  } catch {
    return false;
  }
}

const TABS = ['overview', 'history', 'compare', 'drift'] as const;
