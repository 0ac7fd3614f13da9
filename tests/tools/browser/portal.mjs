// Uses the portal as a person does: `portal.mjs MODULES STEP SITE SHOTS`. Fails with a sentence.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const [modules, step, site, shots] = process.argv.slice(2);
const require = createRequire(join(modules, 'package.json'));
const { chromium } = require('playwright-core');
const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
const troubles = [];

async function open(options = {}) {
  // Only the test may run scripts of its own: axe.
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, bypassCSP: false, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(60000);
  page.on('pageerror', error => troubles.push(`${page.url()}: ${error.message}`));
  page.on('console', message => {
    // A form with a mistake is answered with 422, which Chromium logs. While one types, an older search is given
    // up, which htmx logs; of a request that failed it says more.
    const expected = /status of 422|^htmx:(afterRequest|sendAbort),/.test(message.text());
    if (['error', 'warning'].includes(message.type()) && !expected) troubles.push(`${page.url()}: ${message.text()}`);
  });
  page.on('request', request => {
    if (!request.url().startsWith(site)) troubles.push(`${page.url()} asks ${request.url()}`);
  });
  return page;
}

function must(fine, what) {
  if (!fine) throw new Error(what);
}

// Through the debugger, which the page's policy does not apply to.
async function look(page, name) {
  const session = await page.context().newCDPSession(page);
  await session.send('Runtime.evaluate', { expression: axe });
  const run = 'axe.run(document).then(found => JSON.stringify(found.violations))';
  const { result } = await session.send('Runtime.evaluate', { expression: run, awaitPromise: true });
  for (const found of JSON.parse(result.value)) {
    const places = found.nodes.map(node => node.html).join('\n  ');
    if (['serious', 'critical'].includes(found.impact)) troubles.push(`${page.url()}: ${found.id}: ${found.help}\n  ${places}`);
  }
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  must(wide <= 0, `${page.url()} is ${wide} pixels wider than the window`);
  if (shots !== undefined && name) await page.screenshot({ path: join(shots, `${name}.png`) });
}

// Each cell of the first row is within the window, and still one of a table for a screen reader.
async function fits(page) {
  const table = page.getByRole('table', { name: 'Subscribers', exact: true });
  const row = table.getByRole('row').nth(1);
  for (const role of ['rowheader', 'cell']) {
    for (const cell of await row.getByRole(role).all()) {
      const box = await cell.boundingBox();
      must(box.x >= 0 && box.x + box.width <= 360, `${await cell.innerText()} is outside of the window`);
    }
  }
  const names = await table.getByRole('columnheader').allInnerTexts();
  must(await row.getByRole('cell').count() === 4 && names.includes('Rate down'), `a table with ${names} for ${await row.innerText()}`);
}

async function signIn(page) {
  await page.goto(`${site}/sign-in`);
  await look(page, 'sign-in');
  await page.getByLabel('Name').fill('desk');
  await page.getByLabel('Password').fill('correct horse battery');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: /^You have/ }).waitFor();
}

// To a provider on another site and back: the page's policy is applied to redirects by browsers alone.
async function vouched() {
  const page = await (await browser.newContext()).newPage();
  page.setDefaultTimeout(60000);
  page.on('console', message => {
    if (message.text().includes('Content Security Policy')) troubles.push(message.text());
  });
  await page.goto(`${site}/sign-in?next=/account`);
  await look(page, 'sign-in-vouched');
  await page.getByRole('button', { name: 'Sign in with Staff' }).click();
  await page.getByPlaceholder('Enter any login').fill('noc');
  await page.getByPlaceholder('and password').fill('x');
  await page.getByRole('button', { name: 'Sign-in' }).click();
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.getByRole('heading', { name: 'Network Desk' }).waitFor();
  must(page.url() === `${site}/account`, `it leads to ${page.url()}`);
  await look(page, 'account-vouched');
}

// By name of role and label alone, as a screen reader has them.
async function propose() {
  const page = await open();
  await signIn(page);
  await look(page, 'subscribers');
  await page.getByRole('link', { name: 'Add a subscriber' }).click();
  await look(page, 'add');
  const address = page.getByLabel(/^Address/);
  await address.fill('10.20.0.2');
  await page.getByRole('radio', { name: /^50_MEG/ }).check();
  await page.getByRole('button', { name: 'Add to the draft' }).click();
  const why = await page.locator('#about-ip').innerText();
  must(why.includes('10.20.0.2') && why.includes('twice'), `the mistake is not explained: ${why}`);
  must(await address.getAttribute('aria-describedby') === 'about-ip', 'the field does not name its explanation');
  await look(page, 'mistake');
  await address.fill('10.20.0.5');
  await page.getByLabel(/^Name/).fill('Hotel');
  await page.getByRole('button', { name: 'Check' }).click();
  await page.getByText('No rule objects.').waitFor();
  await page.getByRole('button', { name: 'Add to the draft' }).click();
  await page.getByRole('heading', { name: 'Your draft' }).waitFor();
  must((await page.locator('tr', { hasText: '10.20.0.5' }).innerText()).includes('added'), 'the plan does not say what is added');
  await look(page, 'draft');
  await page.getByLabel(/^Note/).fill('Ticket 4711');
  await page.getByRole('button', { name: 'Submit for review' }).click();
  await page.getByText('It waits for review').waitFor();
  await look(page, 'request');
}

async function merged() {
  const page = await open({ colorScheme: 'dark' });
  await signIn(page);
  await page.getByRole('link', { name: '10.20.0.5' }).click();
  must((await page.locator('pre').innerText()).includes('10.20.0.5'), 'its line in the shaper file is not shown');
  await look(page, 'subscriber');
  await page.getByRole('link', { name: 'Requests', exact: true }).click();
  must((await page.locator('tbody').innerText()).includes('merged'), 'the request is not merged');
  await look(page, 'requests');
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
}

// All of the data, at the width of a phone.
async function many() {
  const page = await open({ viewport: { width: 390, height: 800 } });
  await signIn(page);
  must(await page.getByRole('heading', { name: 'You have 100,000 subscribers' }).count() === 1, 'not all are counted');
  await look(page, 'phone');
  await page.setViewportSize({ width: 360, height: 800 });
  await look(page, 'phone-small');
  const cut = await page.locator('.scroll').evaluateAll(boxes => boxes.filter(box => box.scrollWidth > box.clientWidth).length);
  must(cut === 0, 'a table is wider than a phone');
  await fits(page);
  await page.emulateMedia({ colorScheme: 'dark' });
  await look(page, 'phone-dark');
  await page.emulateMedia({ colorScheme: null });
  const search = page.getByLabel('Search');
  await search.pressSequentially('10.21.7.', { delay: 20 });
  await page.getByText(/^256 found/).waitFor();
  await page.getByRole('link', { name: 'Next' }).click();
  await page.getByText('Page 2 of 6').waitFor();
  await page.waitForURL('**/subscribers?q=10.21.7.&page=2');
  await page.reload();
  await page.getByText('Page 2 of 6').waitFor();
  await page.goBack();
  await page.getByText('Page 1 of 6').waitFor();
  await page.goForward();
  await page.getByText('Page 2 of 6').waitFor();
  await page.getByRole('link', { name: 'Address' }).click();
  await page.getByText('Page 1 of 6').waitFor();
  must((await page.locator('.list tbody a').first().innerText()).startsWith('10.21.7.255'), 'it is not sorted downwards');
  for (const path of ['/add', '/upload', '/draft', '/requests', '/account', '/subscriber?key=10.21.7.1%40large.example']) {
    await page.goto(site + path);
    await look(page);
  }
  const plain = await open({ javaScriptEnabled: false });
  await plain.goto(`${site}/sign-in`);
  await plain.getByLabel('Name').fill('desk');
  await plain.getByLabel('Password').fill('correct horse battery');
  await plain.getByRole('button', { name: 'Sign in' }).click();
  await plain.getByLabel('Search').fill('10.21.7.9');
  await plain.getByRole('button', { name: 'Search' }).click();
  must((await plain.locator('.list tbody').innerText()).includes('10.21.7.99'), 'without scripts the search finds nothing');
}

// Two numbers of the dashboard, some time apart, are not the same.
async function moves(page, id) {
  const before = await page.locator(id).innerText();
  await page.waitForFunction(([id, before]) => document.querySelector(id).textContent !== before, [id, before]);
}

async function live(link) {
  const page = await open({ viewport: { width: 1280, height: 1000 } });
  await page.goto(site + link);
  await page.getByText('Live', { exact: true }).and(page.locator('.on')).waitFor();
  await moves(page, '#down');
  await page.locator('#totals-chart canvas').waitFor();
  await page.getByText('320 found').waitFor();
  const shown = await page.locator('.window .row:not([hidden])').count();
  must(shown > 5 && shown < 40, `${shown} rows are drawn for 320`);
  await look(page, 'live');
  // By keyboard alone: to the last row, and its chart.
  await page.locator('#sort').selectOption('key');
  await page.locator('#window').focus();
  await page.keyboard.press('End');
  await page.keyboard.press('Enter');
  await page.locator('#chosen-chart canvas').waitFor();
  const name = await page.locator('#chosen-name').innerText();
  must(name.endsWith('.example') || name.endsWith('.co.zw'), `${name} is chosen`);
  must((await page.locator('#chosen-chart').innerText()).includes('Plan, down'), 'the chart has no line of the plan');
  await page.locator('#chosen-spans').getByText('7 days').click();
  await page.locator('#chosen-chart canvas').waitFor();
  await page.locator('#chosen-spans').getByText('30 minutes').click();
  await moves(page, '#chosen-facts');
  await look(page, 'live-chosen');
  await page.getByRole('button', { name: 'Close' }).click();
  await page.getByRole('button', { name: /^Saturated/ }).click();
  await page.waitForFunction(() => /^\d+ found/.test(document.querySelector('#found').textContent) && !document.querySelector('#found').textContent.startsWith('320'));
  must((await page.locator('.window .row:not([hidden]) .status').first().innerText()) === 'saturated', 'the list is not of the saturated');
  await page.getByRole('button', { name: 'Show all' }).click();
  await page.getByText('320 found').waitFor();
  await page.locator('#totals-spans').getByText('24 hours').click();
  await page.locator('#totals-chart canvas').waitFor();
  must((await page.locator('#totals-title').innerText()) === 'All subscribers', 'the totals are of something else');
  await page.getByRole('button', { name: 'campus.example' }).click();
  await page.getByRole('heading', { name: 'campus.example' }).waitFor();
  await page.getByText('60 found').waitFor();
  await page.getByLabel('Search').fill('10.20.30.1');
  await page.waitForFunction(() => /^1[0-9] found/.test(document.querySelector('#found').textContent));
  await page.getByLabel('List').selectOption('series');
  await page.getByRole('heading', { name: 'Interfaces and devices' }).waitFor();
  await page.setViewportSize({ width: 390, height: 800 });
  await look(page, 'live-phone');
  await page.emulateMedia({ colorScheme: 'dark' });
  await page.setViewportSize({ width: 1280, height: 1000 });
  await page.goto(`${site}/live`);
  await moves(page, '#down');
  await page.locator('#totals-chart canvas').waitFor();
  await look(page, 'live-dark');
  await page.goto(`${site}/subscriber?key=10.20.10.10%40ispcustomer.co.zw`);
  await page.getByRole('link', { name: 'Live use' }).click();
  await page.locator('#chosen-chart canvas').waitFor();
  must((await page.locator('#chosen-name').innerText()) === '10.20.10.10@ispcustomer.co.zw', 'another one is chosen');
}

// A link to one of many subscribers, who is not among those that are shown first.
async function linked(key) {
  const page = await open();
  await signIn(page);
  await page.goto(`${site}/live?subscriber=${encodeURIComponent(key)}`);
  await page.getByRole('heading', { name: key }).waitFor();
  await page.getByText('1 found').waitFor();
}

// The session is gone when the server is back.
async function ended() {
  const page = await open();
  await signIn(page);
  await page.getByRole('link', { name: 'Live' }).click();
  await page.locator('.live-state.on').waitFor();
  await page.context().clearCookies();
  console.log('connected');
  await page.getByText('Signed out: load the page again').waitFor({ timeout: 60000 });
  unconnected();
}

// The test that started this restarts the server once it reads the line.
async function restart() {
  const page = await open();
  await signIn(page);
  await page.getByRole('link', { name: 'Live' }).click();
  await page.locator('.live-state.on').waitFor();
  await moves(page, '#down');
  troubles.length = 0;
  console.log('connected');
  await page.locator('.live-state.off').waitFor();
  await page.locator('.live-state.on').waitFor({ timeout: 60000 });
  await moves(page, '#down');
  unconnected();
}

// The browser logs that it could not connect.
function unconnected() {
  const all = /WebSocket connection to|net::ERR_/;
  for (let at = troubles.length - 1; at >= 0; at -= 1) if (all.test(troubles[at])) troubles.splice(at, 1);
}

try {
  const [name, argument] = step.split(/:(.*)/s);
  await { propose, merged, many, vouched, live, linked, ended, restart }[name](argument);
  must(troubles.length === 0, troubles.join('\n'));
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
} finally {
  await browser.close();
}
