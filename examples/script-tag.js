// All of the library is in one global. What it loads (the model, the runtime, the worker) it finds by its script's own address.
const { HookedTransformer, attentionHeads, mount, runInWorker, tokens } = glassformer;
const form = document.querySelector("form");
const status = document.querySelector("[role=status]");
const views = new Map();

runInWorker(); // the page stays free while the model computes
const loading = HookedTransformer.fromPretrained("solu-1l-novels");

async function run(text) {
  const model = await loading;
  const [loss, cache] = await model.runWithCache(text, { returnType: "loss", lossPerToken: true });
  const words = model.toStrTokens(text);
  const color = { scheme: "Blues", domain: [0, 10] };
  await show("#loss", tokens(words, { loss: [null, ...loss.data] }, { title: "Loss", unit: "nats", color }));
  await show("#attention", attentionHeads(words, cache.get("pattern0"), { title: "Attention", layers: 0 }));
  return `${cache.size} values of the run are in the cache.`;
}

/** Draws a picture at its place. What is selected or pointed at in one is so in all. */
function show(place, picture) {
  const there = views.get(place);
  if (there) return there.setData(picture);
  const view = mount(document.querySelector(place), picture);
  views.set(place, view);
  const link = (state) => {
    for (const other of views.values()) if (other !== view) other.setState(state);
  };
  view.on("select", (selected) => link({ selected }));
  view.on("hover", (pointed) => link({ pointed }));
  return view.ready;
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  form.elements.run.disabled = true;
  status.textContent = "Running.";
  status.textContent = await run(form.elements.text.value).catch(({ message }) => message);
  form.elements.run.disabled = false;
});
form.requestSubmit();
