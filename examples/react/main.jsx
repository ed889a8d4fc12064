import { attentionHeads, HookedTransformer, tokens } from "glassformer";
import { runInWorker } from "glassformer/worker";
import { StrictMode, useEffect, useState } from "react";
import { createRoot } from "react-dom/client";
import { Glass } from "./glass.jsx";
import "../page.css";

runInWorker(); // the page stays free while the model computes
const loading = HookedTransformer.fromPretrained("solu-1l-novels"); // from models/solu-1l-novels, next to the page

/** What the model makes of a text, as pictures. */
async function run(text) {
  const model = await loading;
  const [loss, cache] = await model.runWithCache(text, { returnType: "loss", lossPerToken: true });
  const words = model.toStrTokens(text);
  const color = { scheme: "Blues", domain: [0, 10] };
  return {
    loss: tokens(words, { loss: [null, ...loss.data] }, { title: "Loss", unit: "nats", color }),
    attention: attentionHeads(words, cache.get("pattern0"), { title: "Attention", layers: 0 }),
  };
}

function App() {
  const [text, setText] = useState("Alice was beginning to get very tired of sitting by her sister, and Alice was");
  const [pictures, setPictures] = useState(null);
  const [selected, setSelected] = useState(null);
  const [isOpen, setIsOpen] = useState(true);
  useEffect(() => {
    let isCurrent = true;
    run(text).then((found) => isCurrent && setPictures(found));
    return () => {
      isCurrent = false;
    };
  }, [text]);
  return (
    <main>
      <h1>What a model makes of a text</h1>
      <form>
        <label htmlFor="text">Text</label>
        <input id="text" value={text} onChange={({ target }) => setText(target.value)} />
        <button type="button" aria-pressed={isOpen} onClick={() => setIsOpen(!isOpen)}>
          Attention
        </button>
      </form>
      <p role="status">{selected ? `Selected: ${JSON.stringify(selected)}` : "Click a token."}</p>
      {pictures && <Glass data={pictures.loss} selected={selected} onSelect={setSelected} />}
      {pictures && isOpen && <Glass data={pictures.attention} selected={selected} onSelect={setSelected} />}
    </main>
  );
}

createRoot(document.querySelector("#root")).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
