// How sharp each picture is, by OpenCV, looking at the broker's own memory: opencv STREAM COUNT
#include <cstdlib>
#include <iostream>
#include <memory>
#include <opencv2/imgproc.hpp>
#include <streamem.h>
#include <string>

struct End {
  void operator()(streamem_subscription *subscription) const { streamem_unsubscribe(subscription); }
  void operator()(streamem_frame *frame) const { streamem_frame_release(frame); }
};

static int fail(const std::string &why)
{
  std::cerr << "opencv: " << why << "\n";
  return EXIT_FAILURE;
}

int main(int argc, char **argv)
{
  const char *stream = argc > 1 ? argv[1] : "randcam";
  long count = argc > 2 ? std::atol(argv[2]) : 10;

  streamem_subscription *opened;
  if (streamem_subscribe(stream, nullptr, &opened) < 0)
    return fail(streamem_last_error());
  std::unique_ptr<streamem_subscription, End> subscription(opened);

  for (long seen = 0; seen < count; seen++) {
    streamem_frame *taken;
    int got = streamem_next(subscription.get(), 1000, &taken);
    if (got <= 0)
      return fail(got < 0 ? streamem_last_error() : "no frame came within a second");
    std::unique_ptr<streamem_frame, End> frame(taken);

    streamem_layout layout = streamem_layout_init();
    if (streamem_frame_layout(frame.get(), &layout) < 0)
      return fail(streamem_last_error());
    if (layout.format != std::string("bgr24"))
      return fail(std::string("the frames are ") + layout.format + ", not bgr24");

    // A header over the slot: nothing is copied, and nothing may be written.
    const cv::Mat picture(int(layout.height), int(layout.width), CV_8UC3,
                          const_cast<void *>(streamem_frame_data(frame.get())),
                          layout.planes[0].stride);
    cv::Mat grey, edges;
    cv::cvtColor(picture, grey, cv::COLOR_BGR2GRAY);
    cv::Laplacian(grey, edges, CV_64F);
    cv::Scalar mean, deviation;
    cv::meanStdDev(edges, mean, deviation);
    std::cout << "frame " << streamem_frame_sequence(frame.get()) << ", sharpness "
              << deviation[0] * deviation[0] << std::endl;
  }
}
