/** The page of `backtrail serve`. */
import { render } from 'preact';
import { App } from './app.tsx';
import { runClock } from './data/clock.ts';
import { followAddress, signIn } from './data/session.ts';
import { applyTheme } from './shell/theme.ts';

applyTheme();
followAddress();
void signIn();
runClock();
const page = document.querySelector('#page');
if (page !== null) render(<App />, page);
