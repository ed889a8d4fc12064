import { mount } from "glassformer";
import { useEffect, useRef } from "react";

/** A picture or a finding, with the place that is selected in it. Other data are drawn again, so they should be the same object from render to render. */
export function Glass({ data, selected, onSelect }) {
  const place = useRef(null);
  const view = useRef(null);
  useEffect(() => {
    view.current = mount(place.current, data);
    return () => view.current.destroy();
  }, [data]);
  useEffect(() => view.current.on("select", onSelect), [data, onSelect]);
  useEffect(() => view.current.setState({ selected }), [data, selected]);
  return <div ref={place} />;
}
