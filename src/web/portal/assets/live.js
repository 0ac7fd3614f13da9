// The live dashboard. Speaks the protocol of docs/live.md. Everything that comes from the server is put into the
// page as text, never as markup.
'use strict';
(() => {
  const byId = id => document.getElementById(id);
  const ROW = 40; // Pixels: the height of a row in live.css.
  const calm = matchMedia('(prefers-reduced-motion: reduce)');
  const view = { version: 1, type: 'watch', list: 'subscribers', domain: null, status: [], search: '', sort: 'down', limit: 10000 };
  const WORDS = { never: 'never seen', silent: 'silent', seen: '', saturated: 'saturated', exceeding: 'exceeds the plan', unknown: 'not declared' };

  // Rates as the portal writes them, with at most three digits after the point.
  function rate(bps) {
    for (const [unit, size] of [['Tbps', 1e12], ['Gbps', 1e9], ['Mbps', 1e6], ['kbps', 1e3]]) {
      if (bps >= size) {
        const value = bps / size;
        return `${value.toFixed(value >= 100 ? 0 : value >= 10 ? 1 : 2).replace(/\.0+$/, '')} ${unit}`;
      }
    }
    return `${Math.round(bps)} bit/s`;
  }
  const count = number => number.toLocaleString('en-US');
  const clock = ms => new Date(ms).toISOString().slice(11, 19) + ' UTC';
  function ago(ms) {
    const seconds = Math.max(0, Math.round(ms / 1000));
    return seconds < 120 ? `${seconds} s` : seconds < 7200 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`;
  }
  function put(node, text) {
    if (node && node.textContent !== text) node.textContent = text;
  }
  function made(name, kind, text) {
    const node = document.createElement(name);
    if (kind) node.className = kind;
    if (text !== undefined) node.textContent = text;
    return node;
  }

  // The rows by number, and in the order that is shown.
  let rows = new Map();
  let order = [];
  let total = 0;
  let domains = new Map();
  let totals = null;
  let ordered = 0;
  let due = false;

  // One frame for whatever changed.
  function draw() {
    if (due) return;
    due = true;
    requestAnimationFrame(() => {
      due = false;
      drawTotals();
      drawDomains();
      drawRows();
      drawChosen();
    });
  }

  const NAMES = ['n', 'status', 'up', 'down', 'at'];
  const OF_SUBSCRIBER = [...NAMES, 'key', 'address', 'domain', 'plan', 'planUp', 'planDown'];
  const OF_SERIES = [...NAMES, 'key', 'source', 'form', 'owner', 'id'];
  function read(values) {
    const names = shownList === 'series' ? OF_SERIES : OF_SUBSCRIBER;
    const row = {};
    names.forEach((name, at) => { row[name] = values[at]; });
    return row;
  }
  function used(row) {
    return Math.max(row.planUp ? row.up / row.planUp : 0, row.planDown ? row.down / row.planDown : 0) || 0;
  }
  function sort() {
    const by = { down: row => -row.down, up: row => -row.up, use: row => -(row.planUp ? used(row) : Math.max(row.up, row.down)) }[view.sort];
    order = [...rows.values()];
    if (by) order.sort((a, b) => by(a) - by(b) || a.n - b.n);
    else order.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
    ordered = performance.now();
  }

  let shownList = 'subscribers';
  function receive(message) {
    if (message.version !== 1) return;
    totals = message;
    if (message.type === 'snapshot') {
      shownList = message.list;
      rows = new Map(message.rows.map(values => [values[0], read(values)]));
      domains = new Map(message.domains.map(domain => [domain.name, domain]));
      total = message.total;
      sort();
      columns();
    } else if (message.type === 'changes') {
      message.removed.forEach(number => rows.delete(number));
      message.added.forEach(values => rows.set(values[0], read(values)));
      for (const [number, status, up, down, at] of message.changed) {
        const row = rows.get(number);
        if (row) Object.assign(row, { status, up, down, at });
      }
      message.domains.forEach(domain => domains.set(domain.name, domain));
      total = message.total;
      // Rows do not jump about while they are read.
      if (message.added.length || message.removed.length || performance.now() - ordered > 5000) sort();
    }
    follow();
    followTotals(message);
    draw();
  }

  function drawTotals() {
    if (!totals) return;
    const sums = totals.totals;
    for (const way of ['down', 'up']) {
      put(byId(way), rate(sums[way]));
      const contract = sums[`contract_${way}`], sold = sums[`sold_${way}`];
      const whole = contract || sold;
      const part = whole ? sums[way] / whole * 100 : 0;
      byId(`${way}-bar`).setAttribute('width', Math.min(100, part).toFixed(1));
      byId(`${way}-bar`).parentNode.classList.toggle('over', part > 100);
      const share = whole ? `${part >= 10 ? Math.round(part) : part.toFixed(1)} % of ` : '';
      put(byId(`${way}-of`), contract ? `${share}${rate(contract)} contracted; ${rate(sold)} sold` : `${share}${rate(sold)} sold`);
    }
    put(byId('seen'), `${count(sums.seen)} of ${count(sums.subscribers)}`);
    for (const name of ['saturated', 'exceeding', 'silent', 'never', 'unknown']) {
      if (sums[name] !== undefined) put(byId(name), count(sums[name]));
    }
    const { fresh, reachable, newest } = totals.store;
    const trouble = byId('trouble');
    trouble.hidden = fresh;
    if (!fresh) {
      const since = newest ? `The newest sample is of ${clock(newest)}, ${ago(totals.at - newest)} ago.` : 'There is no sample yet.';
      put(trouble, `${reachable ? 'No new samples.' : 'The store of samples cannot be read.'} ${since}`);
    }
  }

  const domainRows = new Map();
  function drawDomains() {
    const body = byId('domains');
    for (const [name, domain] of domains) {
      let cells = domainRows.get(name);
      if (!cells) {
        const row = made('tr');
        const head = made('th');
        head.scope = 'row';
        const button = made('button', 'quiet', name);
        button.type = 'button';
        button.setAttribute('aria-pressed', 'false');
        button.addEventListener('click', () => watch({ domain: view.domain === name ? null : name }));
        head.append(button);
        row.append(head);
        cells = { row, button };
        for (const [column, label] of [['down', 'Down'], ['up', 'Up'], ['sold', 'Sold, down / up'], ['contract', 'Contracted, down / up'], ['seen', 'Seen']]) {
          cells[column] = made('td', 'number');
          cells[column].dataset.label = label;
          row.append(cells[column]);
        }
        domainRows.set(name, cells);
        body.append(row);
      }
      put(cells.down, rate(domain.down));
      put(cells.up, rate(domain.up));
      const used = (now, whole) => `${rate(whole)} (${whole ? Math.round(now / whole * 100) : 0} %)`;
      put(cells.sold, `${rate(domain.sold_down)} / ${rate(domain.sold_up)}`);
      put(cells.contract, domain.contract_down ? `${used(domain.down, domain.contract_down)} / ${used(domain.up, domain.contract_up)}` : 'not limited');
      put(cells.seen, `${count(domain.seen)} of ${count(domain.subscribers)}`);
      cells.button.setAttribute('aria-pressed', String(view.domain === name));
    }
    for (const [name, cells] of domainRows) {
      if (!domains.has(name)) {
        cells.row.remove();
        domainRows.delete(name);
      }
    }
  }

  // The list: only the rows in the window are nodes, and those are used again.
  const frame = byId('window'), space = byId('space');
  const nodes = [];
  let cursor = 0;
  function columns() {
    const names = shownList === 'series' ? ['Name', 'Source', 'Subscriber', 'Down', 'Up', ''] : ['Subscriber', 'Domain', 'Plan', 'Down', 'Up', ''];
    const head = byId('columns');
    head.replaceChildren(...names.map(name => {
      const cell = made('span', '', name);
      cell.setAttribute('role', 'columnheader');
      if (!name) cell.append(made('span', 'unseen', 'Status'));
      return cell;
    }));
    put(byId('list-title'), shownList === 'series' ? 'Interfaces and devices' : 'Subscribers');
  }
  function node(at) {
    while (nodes.length <= at) {
      const row = made('div', 'row');
      row.setAttribute('role', 'row');
      for (const kind of ['key', 'second', 'third', 'number', 'number', 'status']) {
        const cell = made('span', kind);
        cell.setAttribute('role', kind === 'key' ? 'rowheader' : 'cell');
        row.append(cell);
      }
      row.addEventListener('click', () => { cursor = row.at; choose(order[row.at]); });
      nodes.push(row);
      space.append(row);
    }
    return nodes[at];
  }
  function percent(value, whole) {
    // Rounded down: 94.6 % is not yet the 95 % of "saturated".
    return whole ? ` · ${Math.floor(value / whole * 100)} %` : '';
  }
  function drawRows() {
    put(byId('found'), total > order.length ? `${count(total)} found, ${count(order.length)} shown` : `${count(total)} found`);
    const height = `${order.length * ROW}px`;
    if (space.style.height !== height) space.style.height = height;
    cursor = Math.max(0, Math.min(cursor, order.length - 1));
    const first = Math.max(0, Math.floor(frame.scrollTop / ROW) - 2);
    const last = Math.min(order.length, first + Math.ceil(frame.clientHeight / ROW) + 4);
    for (let at = first; at < last; at += 1) {
      const row = order[at], line = node(at - first), cells = line.children;
      line.at = at;
      line.hidden = false;
      const top = `translateY(${at * ROW}px)`;
      if (line.style.transform !== top) line.style.transform = top;
      line.setAttribute('aria-rowindex', String(at + 2));
      line.classList.toggle('cursor', at === cursor);
      line.classList.toggle('bad', row.status === 'exceeding');
      put(cells[0], row.key);
      cells[0].title = row.key;
      put(cells[1], shownList === 'series' ? `${row.source}, ${row.form}` : row.domain);
      put(cells[2], shownList === 'series' ? row.owner || '–' : row.plan);
      const quiet = row.status === 'never' || row.status === 'silent';
      put(cells[3], quiet ? '–' : rate(row.down) + percent(row.down, row.planDown));
      put(cells[4], quiet ? '–' : rate(row.up) + percent(row.up, row.planUp));
      put(cells[5], WORDS[row.status] || '');
    }
    for (let at = Math.max(0, last - first); at < nodes.length; at += 1) nodes[at].hidden = true;
    frame.parentNode.setAttribute('aria-rowcount', String(order.length + 1));
  }
  frame.addEventListener('scroll', draw, { passive: true });
  addEventListener('resize', draw);
  frame.addEventListener('keydown', event => {
    const page = Math.max(1, Math.floor(frame.clientHeight / ROW) - 1);
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -Infinity, End: Infinity };
    if (event.key === 'Enter' && order[cursor]) choose(order[cursor]);
    else if (event.key in steps) {
      cursor = Math.max(0, Math.min(order.length - 1, cursor + steps[event.key]));
      if (cursor * ROW < frame.scrollTop) frame.scrollTop = cursor * ROW;
      else if ((cursor + 1) * ROW > frame.scrollTop + frame.clientHeight) frame.scrollTop = (cursor + 1) * ROW - frame.clientHeight;
      draw();
    } else return;
    event.preventDefault();
  });

  // Charts.
  const colour = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const dark = matchMedia('(prefers-color-scheme: dark)');
  function options(width, lines) {
    const axis = { stroke: colour('--faint'), grid: { stroke: colour('--line'), width: 1 }, ticks: { stroke: colour('--line'), width: 1 } };
    return {
      width,
      height: 240,
      tzDate: seconds => uPlot.tzDate(new Date(seconds * 1e3), 'Etc/UTC'),
      scales: { y: { range: (_, least, most) => [0, (most || 1) * 1.05] } },
      axes: [{ ...axis, values: (_, ticks, __, ___, step) => ticks.map(tick => new Date(tick * 1e3).toISOString().slice(...(step >= 86400 ? [5, 10] : [11, 16]))) }, { ...axis, size: 90, values: (_, ticks) => ticks.map(tick => tick === 0 ? '0' : rate(tick)) }],
      cursor: { drag: { x: false, y: false } },
      series: [{ value: (_, at) => at == null ? '' : new Date(at * 1e3).toISOString().slice(0, 19).replace('T', ' ') + ' UTC' },
        ...lines.map(([label, name, more]) => ({ label, stroke: colour(name), width: 2, points: { show: false }, spanGaps: false, value: (_, value) => value == null ? '–' : rate(value), ...more }))],
    };
  }
  // A history, in the form of the chart. Where nothing was measured for long, the line is broken.
  async function history(query) {
    try {
      const answer = await fetch(`/live/history?${query}`, { headers: { accept: 'application/json' } });
      const found = answer.ok ? await answer.json() : null;
      return found && found.version === 1 ? found : null;
    } catch {
      return null; // The connection is away; the state says so.
    }
  }
  function broken(data) {
    const at = data[0];
    const steps = at.slice(1).map((moment, before) => moment - at[before]).sort((a, b) => a - b);
    const longest = 2.5 * (steps[Math.floor(steps.length / 2)] || Infinity);
    const columns = data.map(() => []);
    at.forEach((moment, row) => {
      if (row && moment - at[row - 1] > longest) columns.forEach((column, which) => column.push(which ? null : (moment + at[row - 1]) / 2));
      columns.forEach((column, which) => column.push(data[which][row]));
    });
    return columns;
  }
  const LINES = [['Down', '--accent'], ['Up', '--good']];
  const MOST = [['Most down', '--accent', { width: 1, dash: [2, 4] }], ['Most up', '--good', { width: 1, dash: [2, 4] }]];
  function plotted(box, old, found, levels) {
    const lines = [...LINES], data = [found.at.map(at => at / 1000), found.down, found.up];
    if (found.step > 1) {
      lines.push(...MOST);
      data.push(found.down_max, found.up_max);
    }
    for (const [label, name, value] of levels) {
      lines.push([label, name, { width: 1, dash: [8, 4] }]);
      data.push(found.at.map(() => value));
    }
    if (old) old.destroy();
    box.replaceChildren(...(found.at.length ? [] : [made('p', 'empty', 'Nothing was measured in this time.')]));
    return found.at.length ? new uPlot(options(box.clientWidth, lines), broken(data), box) : null;
  }

  // The chart of all, or of the chosen domain. It grows with what comes in.
  const overall = { span: '3h', step: 60, plot: null, asked: 0, drawn: 0 };
  async function askTotals() {
    const mine = overall.asked += 1;
    const domain = view.domain ? `&domain=${encodeURIComponent(view.domain)}` : '';
    const found = await history(`span=${overall.span}${domain}`);
    if (mine !== overall.asked || !found) return;
    overall.step = found.step > 1 ? 60 : 10;
    put(byId('totals-title'), view.domain || 'All subscribers');
    overall.plot = plotted(byId('totals-chart'), overall.plot, found, []);
  }
  function followTotals(message) {
    const length = { '30m': 1800, '3h': 10800 }[overall.span], { step } = overall;
    if (!length || !message.store.fresh || (calm.matches && performance.now() - overall.drawn < 10000)) return;
    overall.drawn = performance.now();
    const sums = view.domain ? domains.get(view.domain) : message.totals;
    if (!sums) return;
    const at = Math.floor(message.at / 1000 / step) * step;
    if (!overall.plot) {
      if (message.type === 'changes') overall.plot = plotted(byId('totals-chart'), null, { step: 1, at: [at * 1000], down: [sums.down], up: [sums.up] }, []);
      return;
    }
    const { data } = overall.plot, last = data[0].length - 1;
    if (at < data[0][last]) return;
    const same = at === data[0][last];
    const gap = !same && at - data[0][last] > 2.5 * step;
    const first = Math.max(0, data[0].findIndex(moment => moment >= at - length));
    const values = [at, sums.down, sums.up, sums.down, sums.up];
    overall.plot.setData(data.map((column, which) => [
      ...column.slice(first, same ? last : undefined),
      ...(gap ? [which ? null : at - step] : []),
      values[which],
    ]));
  }

  let chosen = null;
  let plot = null;
  let asking = 0;
  function choose(row) {
    if (!row) return;
    chosen = { list: shownList, ...row };
    byId('chosen').hidden = false;
    put(byId('chosen-name'), row.key);
    byId('chosen-name').focus();
    // Nothing of the one before may stay under this name.
    if (plot) plot.destroy();
    plot = null;
    byId('chosen-chart').replaceChildren(made('p', 'empty', 'Reading…'));
    ask();
    draw();
  }
  let span = '3h';
  async function ask() {
    if (!chosen) return;
    const mine = asking += 1;
    const who = chosen.list === 'series' ? `series=${chosen.id}` : `subscriber=${encodeURIComponent(chosen.key)}`;
    const found = await history(`${who}&span=${span}`);
    if (mine !== asking) return;
    if (!found) {
      if (!plot) byId('chosen-chart').replaceChildren(made('p', 'empty', 'The history cannot be read now.'));
      return;
    }
    const levels = found.plan_down ? [['Plan, down', '--bad', found.plan_down], ['Plan, up', '--mind', found.plan_up]] : [];
    plot = plotted(byId('chosen-chart'), plot, found, levels);
    if (plot) plot.live = found.step === 1;
  }
  // What comes in extends the chart of samples.
  function follow() {
    if (!chosen || chosen.list !== shownList) return;
    let row = rows.get(chosen.n);
    if (!row || row.key !== chosen.key) row = [...rows.values()].find(one => one.key === chosen.key);
    if (!row) return;
    const newer = row.at > chosen.at;
    Object.assign(chosen, row);
    if (newer && plot && plot.live) {
      const values = [row.at / 1000, row.down, row.up, row.planDown, row.planUp];
      plot.setData(plot.data.map((column, at) => [...column.slice(-2000), values[at]]));
    }
  }
  function drawChosen() {
    if (!chosen) return;
    const plan = chosen.plan ? `${chosen.plan}: ${rate(chosen.planDown)} down, ${rate(chosen.planUp)} up` : chosen.source;
    const at = chosen.at ? `${rate(chosen.down)} down, ${rate(chosen.up)} up at ${clock(chosen.at)}` : 'never seen';
    put(byId('chosen-facts'), `Now ${at}. ${chosen.domain || chosen.owner || 'Not declared'}, ${plan}.`);
  }
  function spans(group, choose) {
    const buttons = byId(group).querySelectorAll('[data-span]');
    buttons.forEach(button => button.addEventListener('click', () => {
      buttons.forEach(one => one.setAttribute('aria-pressed', String(one === button)));
      choose(button.dataset.span);
    }));
  }
  spans('chosen-spans', name => { span = name; ask(); });
  spans('totals-spans', name => { overall.span = name; askTotals(); });
  byId('chosen-close').addEventListener('click', () => {
    chosen = null;
    byId('chosen').hidden = true;
    frame.focus();
  });
  setInterval(() => {
    if (document.hidden) return;
    if (!(plot && plot.live)) ask();
    askTotals();
  }, 30000);
  // With the colours of the other scheme.
  dark.addEventListener('change', () => {
    ask();
    askTotals();
  });
  addEventListener('resize', () => {
    for (const one of [plot, overall.plot]) {
      if (one) one.setSize({ width: one.root.parentNode.clientWidth, height: one.height });
    }
  });

  // What is asked to be seen.
  let socket = null;
  function watch(change) {
    Object.assign(view, change);
    if (change.sort) sort();
    if ('domain' in change) askTotals();
    byId('list').value = view.list;
    byId('clear').hidden = !(view.domain || view.status.length || view.search);
    document.querySelectorAll('[data-status]').forEach(card => {
      card.setAttribute('aria-pressed', String(card.dataset.status === view.status.join(',')));
    });
    frame.scrollTop = 0;
    cursor = 0;
    if (socket && socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(view));
    draw();
  }
  document.querySelectorAll('[data-status]').forEach(card => card.addEventListener('click', () => {
    const same = card.getAttribute('aria-pressed') === 'true';
    watch({ status: same ? [] : card.dataset.status.split(','), list: card.dataset.list || 'subscribers' });
  }));
  let typing = 0;
  byId('search').addEventListener('input', () => {
    clearTimeout(typing);
    typing = setTimeout(() => watch({ search: byId('search').value.trim() }), 250);
  });
  byId('list').addEventListener('change', event => watch({ list: event.target.value, status: [] }));
  byId('sort').addEventListener('change', event => watch({ sort: event.target.value }));
  byId('clear').addEventListener('click', () => {
    byId('search').value = '';
    watch({ domain: null, status: [], search: '' });
  });
  const wanted = new URLSearchParams(location.search).get('subscriber');
  if (wanted) {
    byId('search').value = wanted;
    view.search = wanted;
    byId('clear').hidden = false;
  }

  // The connection: tried again after a pause that doubles, up to half a minute, and differs between browsers.
  let failures = 0;
  let heard = 0;
  let opened = false;
  function state(text, kind) {
    put(byId('state'), text);
    byId('state').className = `live-state ${kind}`;
  }
  function connect() {
    socket = new WebSocket(`${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/live/socket`);
    const mine = socket;
    mine.addEventListener('open', () => mine.send(JSON.stringify(view)));
    mine.addEventListener('message', event => {
      failures = 0;
      heard = performance.now();
      receive(JSON.parse(event.data));
      state('Live', 'on');
      // The first snapshot is not yet of what is searched for.
      const row = wanted && !opened && view.search === wanted && order.find(one => one.key === wanted);
      if (row) {
        opened = true;
        choose(row);
      }
    });
    mine.addEventListener('close', async event => {
      if (mine !== socket) return;
      // A browser does not say why a connection was refused; the page leads to the sign-in then.
      const page = event.code === 1006 && await fetch('/live', { method: 'HEAD', redirect: 'manual' }).catch(() => null);
      if (event.code === 4401 || (page && page.type === 'opaqueredirect')) {
        state('Signed out: load the page again', 'off');
        return;
      }
      if (event.code === 4400) {
        state('Not understood: load the page again', 'off');
        return;
      }
      failures += 1;
      const pause = Math.min(30000, 500 * 2 ** Math.min(failures, 6)) * (0.5 + Math.random() / 2);
      state('Not connected: trying again', 'off');
      setTimeout(connect, pause);
    });
  }
  // A frame comes each second; a connection without any is dead, whatever the browser thinks of it.
  setInterval(() => {
    if (socket && socket.readyState === WebSocket.OPEN && heard && performance.now() - heard > 45000) socket.close();
  }, 5000);
  connect();
  askTotals();
})();
