"""What papermill talks to a kernel with."""

import asyncio
import queue

from jupyter_client.asynchronous import AsyncKernelClient


class Client(AsyncKernelClient):
    """Ready as soon as the kernel is."""

    def start_channels(self, *given, **named) -> None:
        """Without the heartbeat: an interrupt would leave its thread half started; the process is watched anyway."""
        super().start_channels(*given, **named | {"hb": False})

    async def wait_for_ready(self, timeout: float | None = None) -> None:
        """Return once the kernel answers; its base class would then listen for another 0.2 s.

        Raises RuntimeError where the kernel has died, TimeoutError after `timeout` seconds.
        """
        async with asyncio.timeout(timeout):
            while not await self._answers():
                if not await self._async_is_alive():
                    raise RuntimeError("The kernel died before it answered.")

    async def _answers(self) -> bool:
        """Whether it does so within a second, and what its cells print is heard as well."""
        self.kernel_info()
        try:
            reply = await self.shell_channel.get_msg(timeout=1)
            await self.iopub_channel.get_msg(timeout=0.2)
        except queue.Empty:
            return False
        self._handle_kernel_info_reply(reply)
        return True
