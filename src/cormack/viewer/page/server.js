// What the page asks its server for. Addresses are relative, so that they carry the token of the page's own address.

export class Refused extends Error {}

async function answer(address) {
  let response;
  try {
    response = await fetch(address);
  } catch {
    throw new Refused("The viewer's server does not answer. It was probably stopped: start cormack view again.");
  }
  if (response.ok) return response;
  const told = await response.json().catch(() => ({}));
  throw new Refused(told.error ?? `The server answered ${response.status}.`);
}

export const scene = async () => (await answer("scene")).json();
export const facts = async (number) => (await answer(`scans/${number}/facts`)).json();
export const bytes = async (number, part) => (await answer(`scans/${number}/${part}`)).arrayBuffer();
